package terraform

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/arm"
)

const typeSite = "Microsoft.Web/sites"

const siteRows = `
	client_certificate_enabled clientCertEnabled =false
	client_certificate_exclusion_paths clientCertExclusionPaths
	enabled =true
	https_only httpsOnly =false
	key_vault_reference_identity_id keyVaultReferenceIdentity
	public_network_access_enabled publicNetworkAccess =Enabled ~toggled
	public_network_access_enabled siteConfig.publicNetworkAccess =Enabled ~toggled
	service_plan_id serverFarmId
	virtual_network_backup_restore_enabled vnetBackupRestoreEnabled =false
	virtual_network_subnet_id virtualNetworkSubnetId
	connection_string[]: siteConfig.connectionStrings
		name
		type
		value connectionString !secret
	site_config: siteConfig
		* app_command_line default_documents health_check_path
		ftps_state =Disabled
		http2_enabled http20Enabled =false
		ip_restriction_default_action ipSecurityRestrictionsDefaultAction =Allow
		load_balancing_mode loadBalancing =LeastRequests
		managed_pipeline_mode =Integrated
		minimum_tls_cipher_suite minTlsCipherSuite
		minimum_tls_version minTlsVersion ="1.2"
		remote_debugging_enabled =false
		remote_debugging_version
		scm_ip_restriction_default_action scmIpSecurityRestrictionsDefaultAction =Allow
		scm_minimum_tls_version scmMinTlsVersion ="1.2"
		scm_use_main_ip_restriction scmIpSecurityRestrictionsUseMain =false
		vnet_route_all_enabled vnetRouteAllEnabled =false
		websockets_enabled webSocketsEnabled =false
		worker_count numberOfWorkers
		api_definition_url apiDefinition.url
		api_management_api_id apiManagementConfig.id
		ip_restriction[]: ipSecurityRestrictions
			* name description ip_address
			action =Allow
			headers: headers
				x_azure_fdid x-azure-fdid
				x_fd_health_probe x-fd-healthprobe
				x_forwarded_for x-forwarded-for
				x_forwarded_host x-forwarded-host
			priority =65000
			service_tag ipAddress ~some
			service_tag tag ~serviceTag
			virtual_network_subnet_id vnetSubnetResourceId
		scm_ip_restriction[]: scmIpSecurityRestrictions
			* name description ip_address
			action =Allow
			headers: headers
				x_azure_fdid x-azure-fdid
				x_fd_health_probe x-fd-healthprobe
				x_forwarded_for x-forwarded-for
				x_forwarded_host x-forwarded-host
			priority =65000
			service_tag ipAddress ~some
			service_tag tag ~serviceTag
			virtual_network_subnet_id vnetSubnetResourceId
		cors: cors
			* allowed_origins support_credentials
	site_config: .
		vnet_route_all_enabled vnetRouteAllEnabled =false
`

const imagePullRows = `
	vnet_image_pull_enabled vnetImagePullEnabled =false
`

const webAppRows = `
	client_affinity_enabled =false
	client_certificate_mode clientCertMode =Required
	site_config: siteConfig
		always_on =true
		local_mysql_enabled localMySqlEnabled =false
		use_32_bit_worker use32BitWorkerProcess =true
		container_registry_use_managed_identity acrUseManagedIdentityCreds =false
		container_registry_managed_identity_client_id acrUserManagedIdentityID
`

const functionRows = `
	client_certificate_mode clientCertMode =Optional
	daily_memory_time_quota =0
	site_config: siteConfig
		always_on =false
		app_scale_limit functionAppScaleLimit
		elastic_instance_minimum minimumElasticInstanceCount
		pre_warmed_instance_count =0
		runtime_scale_monitoring_enabled functionsRuntimeScaleMonitoringEnabled
`

const linuxFunctionRows = `
	site_config: siteConfig
		use_32_bit_worker use32BitWorkerProcess =false
		container_registry_use_managed_identity acrUseManagedIdentityCreds =false
		container_registry_managed_identity_client_id acrUserManagedIdentityID
`

const windowsFunctionRows = `
	site_config: siteConfig
		use_32_bit_worker use32BitWorkerProcess =true
		+netFrameworkVersion v4.0
		application_stack: .
			dotnet_version netFrameworkVersion
			java_version
			powershell_core_version powerShellVersion
`

const windowsWebRows = `
	+vnetImagePullEnabled false
	site_config: siteConfig
		application_stack: .
			dotnet_version|dotnet_core_version netFrameworkVersion
			java_version
			node_version
			php_version
`

var siteKinds = map[string]kind{
	"azurerm_linux_web_app":        site("app,linux", finishLinuxWeb, webAppRows, imagePullRows),
	"azurerm_windows_web_app":      site("app", finishWindowsWeb, webAppRows, windowsWebRows),
	"azurerm_linux_function_app":   site("functionapp,linux", finishLinuxFunction, functionRows, linuxFunctionRows, imagePullRows),
	"azurerm_windows_function_app": site("functionapp", finishWindowsFunction, functionRows, windowsFunctionRows, imagePullRows),
	"azurerm_app_service_virtual_network_swift_connection": {
		effect: func(v view, _ arm.ID, b *builder) {
			b.change(v, v.id("app_service_id", typeSite), func(doc *arm.Resource) {
				doc.Properties["virtualNetworkSubnetId"] = v.json("subnet_id")
				v.marks(doc, "virtualNetworkSubnetId")
			})
		},
	},
}

// site is the kind of a web or function app.
func site(word string, finish func(view, *arm.Resource), extra ...string) kind {
	return kind{
		arm:    typeSite,
		id:     inGroup(typeSite),
		rows:   tabled(append([]string{siteRows, "+/kind " + word}, extra...)...),
		finish: finish,
		decide: func(_ view, id arm.ID) map[string]cty.Value {
			if strings.HasPrefix(id.Name(), "{") {
				return nil
			}
			return texts("default_hostname", strings.ToLower(id.Name())+".azurewebsites.net")
		},
	}
}

// stack gives the application stack of an app.
func stack(v view) (view, bool) {
	for _, c := range v.blocks("site_config") {
		for _, s := range c.blocks("application_stack") {
			return s, true
		}
	}
	return view{}, false
}

// runtime is how siteConfig.linuxFxVersion names the first of the runtimes, each
// an attribute and a word, that a stack has.
func runtime(s view, runtimes ...[2]string) any {
	for _, r := range runtimes {
		switch version := s.json(r[0]).(type) {
		case string:
			if version != "" {
				return r[1] + "|" + version
			}
		case arm.Unknown:
			return version
		}
	}
	return nil
}

func finishLinuxWeb(v view, doc *arm.Resource) {
	settings := settingsOf(v)
	evictions(v, settings)
	if s, ok := stack(v); ok {
		fx := runtime(s, [2]string{"python_version", "PYTHON"}, [2]string{"node_version", "NODE"}, [2]string{"dotnet_version", "DOTNETCORE"},
			[2]string{"php_version", "PHP"}, [2]string{"go_version", "GO"})
		if image, isText := s.json("docker_image_name").(string); isText && image != "" {
			registry := s.json("docker_registry_url")
			settings["DOCKER_REGISTRY_SERVER_URL"] = registry
			settings["DOCKER_REGISTRY_SERVER_USERNAME"] = or(s.json("docker_registry_username"), "")
			settings["DOCKER_REGISTRY_SERVER_PASSWORD"] = or(secret(s, "docker_registry_password"), "")
			fx = imageOf(registry, image)
		}
		if fx != nil {
			set(doc.Properties, "siteConfig.linuxFxVersion", fx)
		}
	}
	setSettings(v, doc, settings)
	healing(v, doc)
}

func finishWindowsWeb(v view, doc *arm.Resource) {
	settings := settingsOf(v)
	evictions(v, settings)
	if s, ok := stack(v); ok && s.text("current_stack") != "" {
		set(doc.Properties, "siteConfig.metadata", []any{arm.Object{"name": "CURRENT_STACK", "value": s.text("current_stack")}})
	}
	setSettings(v, doc, settings)
	healing(v, doc)
}

// healing says whether an app restarts itself by rules.
func healing(v view, doc *arm.Resource) {
	heals := false
	for _, c := range v.blocks("site_config") {
		heals = len(c.blocks("auto_heal_setting")) > 0
	}
	set(doc.Properties, "siteConfig.autoHealEnabled", heals)
}

func finishLinuxFunction(v view, doc *arm.Resource) {
	settings := hostSettings(v)
	if s, ok := stack(v); ok {
		dotnet := "DOTNET"
		if s.flag("use_dotnet_isolated_runtime", false) {
			dotnet = "DOTNET-ISOLATED"
		}
		fx := runtime(s, [2]string{"python_version", "PYTHON"}, [2]string{"node_version", "NODE"}, [2]string{"dotnet_version", dotnet},
			[2]string{"java_version", "JAVA"}, [2]string{"powershell_core_version", "POWERSHELL"})
		worker(s, settings)
		for _, image := range s.blocks("docker") {
			settings["DOCKER_REGISTRY_SERVER_URL"] = image.json("registry_url")
			settings["DOCKER_REGISTRY_SERVER_USERNAME"] = or(secret(image, "registry_username"), "")
			settings["DOCKER_REGISTRY_SERVER_PASSWORD"] = or(secret(image, "registry_password"), "")
			fx = imageOf(image.json("registry_url"), image.symbol("image_name")+":"+image.symbol("image_tag"))
		}
		if fx != nil {
			set(doc.Properties, "siteConfig.linuxFxVersion", fx)
		}
	}
	setSettings(v, doc, settings)
}

func finishWindowsFunction(v view, doc *arm.Resource) {
	settings := hostSettings(v)
	if s, ok := stack(v); ok {
		worker(s, settings)
		if version := s.json("node_version"); version != nil {
			settings["WEBSITE_NODE_DEFAULT_VERSION"] = version
		}
	}
	setSettings(v, doc, settings)
}

// worker says which language's worker a function app has.
func worker(s view, settings arm.Object) {
	for _, w := range [][2]string{{"python_version", "python"}, {"node_version", "node"}, {"java_version", "java"}, {"powershell_core_version", "powershell"}, {"dotnet_version", "dotnet"}} {
		if !s.has(w[0]) || s.text(w[0]) == "" {
			continue
		}
		name := w[1]
		if name == "dotnet" && s.flag("use_dotnet_isolated_runtime", false) {
			name = "dotnet-isolated"
		}
		settings["FUNCTIONS_WORKER_RUNTIME"] = name
		return
	}
	if s.flag("use_custom_runtime", false) {
		settings["FUNCTIONS_WORKER_RUNTIME"] = "custom"
	}
}

// hostSettings are the settings of a function app with those that its host reads:
// in which account it keeps its state, and where its telemetry goes.
func hostSettings(v view) arm.Object {
	settings := settingsOf(v)
	evictions(v, settings)
	settings["FUNCTIONS_EXTENSION_VERSION"] = or(v.json("functions_extension_version"), "~4")
	suffix, store := "", any(nil)
	switch {
	case v.has("storage_key_vault_secret_id"):
		store = "@Microsoft.KeyVault(SecretUri=" + v.symbol("storage_key_vault_secret_id") + ")"
	case v.flag("storage_uses_managed_identity", false):
		suffix, store = "__accountName", v.json("storage_account_name")
	case v.has("storage_account_access_key"):
		store = accountConnection(v)
	}
	if store != nil {
		settings["AzureWebJobsStorage"+suffix] = store
		if v.flag("builtin_logging_enabled", true) {
			settings["AzureWebJobsDashboard"+suffix] = store
		}
	}
	for _, c := range v.blocks("site_config") {
		if c.has("application_insights_key") {
			settings["APPINSIGHTS_INSTRUMENTATIONKEY"] = secret(c, "application_insights_key")
		}
		if c.has("application_insights_connection_string") {
			settings["APPLICATIONINSIGHTS_CONNECTION_STRING"] = secret(c, "application_insights_connection_string")
		}
	}
	return settings
}

// accountConnection is the connection string of a function app's account.
func accountConnection(v view) any {
	key := secret(v, "storage_account_access_key")
	if s, ok := key.(string); ok {
		return fmt.Sprintf("DefaultEndpointsProtocol=https;AccountName=%s;AccountKey=%s;EndpointSuffix=core.windows.net", v.symbol("storage_account_name"), s)
	}
	return key
}

// secret is a value that only who asks for secrets sees.
func secret(v view, name string) any {
	if v.secrets {
		return v.json(name)
	}
	return v.hidden(name)
}

// imageOf names a container's image as siteConfig.linuxFxVersion does.
func imageOf(registry any, image string) any {
	if address, ok := registry.(string); ok {
		if u, err := url.Parse(address); err == nil && u.Host != "" {
			return "DOCKER|" + u.Host + "/" + image
		}
		return "DOCKER|" + strings.TrimSuffix(address, "/") + "/" + image
	}
	if registry == nil {
		return "DOCKER|" + image
	}
	return registry
}

// settingsOf are an app's own settings, as far as their names are known.
func settingsOf(v view) arm.Object {
	out := arm.Object{}
	if own, ok := v.json("app_settings").(arm.Object); ok {
		maps.Copy(out, own)
	}
	return out
}

// evictions says after how many failed pings a worker leaves the rotation.
func evictions(v view, settings arm.Object) {
	for _, c := range v.blocks("site_config") {
		if minutes := c.json("health_check_eviction_time_in_min"); minutes != nil && minutes != 0.0 {
			settings["WEBSITE_HEALTHCHECK_MAXPINGFAILURES"] = text(minutes)
		}
	}
}

// setSettings sets an app's settings as a list.
func setSettings(v view, doc *arm.Resource, settings arm.Object) {
	if whole, unknown := v.json("app_settings").(arm.Unknown); unknown {
		set(doc.Properties, "siteConfig.appSettings", whole)
		return
	}
	if len(settings) == 0 {
		return
	}
	list := make([]any, 0, len(settings))
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		list = append(list, arm.Object{"name": name, "value": settings[name]})
	}
	set(doc.Properties, "siteConfig.appSettings", list)
}
