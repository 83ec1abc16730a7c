//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// singleChange is one attribute that is changed in a file of the example.
type singleChange struct {
	what     string
	file     string
	from, to string // the first place where the file says from
	actions  string // of the plan, for the resource that is changed
	address  string
}

const (
	inPlace  = "update"
	replaced = "delete create"
)

// What Azure changes in place, and what it must make anew.
var singleChanges = []singleChange{
	{
		"a NAT gateway's idle time", "modules/egress/nat.tf", `sku_name            = "Standard"`, "sku_name = \"Standard\"\n  idle_timeout_in_minutes = 10",
		inPlace, `module.egress.azurerm_nat_gateway.this["aml"]`,
	},
	{
		"a public address's name", "modules/egress/nat.tf", `"pip-nat-${each.key}"`, `"pip-out-${each.key}"`,
		replaced, `module.egress.azurerm_public_ip.nat["aml"]`,
	},
	{
		"a security rule's priority", "modules/guarded-subnet/main.tf", `= 4096`, `= 4095`,
		inPlace, `module.network.module.training_nsg.azurerm_network_security_group.this`,
	},
	{
		"a subnet's service endpoints", "modules/network/main.tf", `[var.subnets.jump]`, "[var.subnets.jump]\n  service_endpoint {\n    service = \"Microsoft.Storage\"\n  }",
		inPlace, `module.network.azurerm_subnet.jump`,
	},
	{
		"whether Bastion copies and pastes", "modules/bastion/main.tf", `tunneling_enabled   = true`, "tunneling_enabled = true\n  copy_paste_enabled = false",
		inPlace, `module.bastion.azurerm_bastion_host.this`,
	},
	{
		"a virtual machine's size", "machines.tf", `var.vm_size`, `"Standard_D4s_v5"`,
		inPlace, `module.jump_host.azurerm_linux_virtual_machine.this`,
	},
	{
		"how long logs are kept", "modules/monitoring/main.tf", `var.retention_days`, `var.retention_days + 30`,
		inPlace, `module.monitoring.azurerm_log_analytics_workspace.this`,
	},
	{
		"how long deleted blobs are kept", "modules/workspace/storage.tf", `local_user_enabled              = false`, "local_user_enabled = false\n  blob_properties {\n    delete_retention_policy {\n      days = 7\n    }\n  }",
		inPlace, `module.workspace.azurerm_storage_account.this`,
	},
	{
		"what a vault is for", "modules/workspace/vault.tf", `purge_protection_enabled      = true`, "purge_protection_enabled = true\n  enabled_for_disk_encryption = true",
		inPlace, `module.workspace.azurerm_key_vault.this`,
	},
	{
		"how long a registry keeps untagged images", "modules/workspace/registry.tf", `export_policy_enabled         = false`, "export_policy_enabled = false\n  retention_policy_in_days = 7",
		inPlace, `module.workspace.azurerm_container_registry.this`,
	},
	{
		"a workspace's friendly name", "modules/workspace/main.tf", `"Secure MLOps"`, `"Private MLOps"`,
		inPlace, `module.workspace.azurerm_machine_learning_workspace.this`,
	},
	{
		"a compute cluster's largest size", "compute.tf", `max_nodes = 1`, `max_nodes = 2`,
		inPlace, `module.training.azurerm_machine_learning_compute_cluster.this["image-build"]`,
	},
	{
		"a node pool's largest size", "modules/aks/main.tf", `var.nodes.max`, `var.nodes.max + 1`,
		inPlace, `module.aks[0].azurerm_kubernetes_cluster.this`,
	},
	{
		"an endpoint's description", "modules/serving/main.tf", `"Scores one request at a time."`, `"Scores requests."`,
		inPlace, `module.serving.azapi_resource.online`,
	},
	{
		"a private endpoint's name", "modules/private-service/main.tf", `"pe-${var.name}"`, `var.name == "table" ? "pe-tables" : "pe-${var.name}"`,
		replaced, `module.private_service["table"].azurerm_private_endpoint.this`,
	},
	{
		"a role assignment's description", "roles.tf", `principal_type       = "ServicePrincipal"`, "principal_type = \"ServicePrincipal\"\n  description = each.key == \"jump: Reader on group\" ? \"Looks.\" : null",
		inPlace, `azurerm_role_assignment.this["jump: Reader on group"]`,
	},
}

// change makes every single change, holds the plan against what each must be,
// applies it, and plans again. One plan for all: a plan that changes one attribute
// must leave the others as they are, so they do not hide each other.
func (tf *terraform) change(changes []singleChange) {
	tf.t.Helper()
	for _, s := range changes {
		if err := tf.edit(s); err != nil {
			tf.t.Fatal(err)
		}
	}
	plan := filepath.Join(tf.t.TempDir(), "plan")
	tf.must("plan", "-input=false", "-out="+plan)
	planned, err := tf.planned(plan)
	if err != nil {
		tf.t.Fatal(err)
	}
	for _, s := range changes {
		if got := planned[s.address]; got != s.actions {
			tf.t.Errorf("%s: %s is planned as %q, want %q", s.what, s.address, got, s.actions)
		}
	}
	tf.must("apply", "-input=false", atOnce, plan)
	tf.wantNoChanges("after single attributes were changed")
}

// refusedChange is one that is planned in place and not applied.
type refusedChange struct {
	singleChange
	says string // how the apply ends
}

// refusedChanges are what the provider plans and Azure does not do. How long a vault
// keeps what is deleted can be said once: Azure answers 400 BadRequest, "has been set
// already and it can't be modified", which the provider knows and does not ask for.
var refusedChanges = []refusedChange{
	{singleChange{
		"how long deleted secrets are kept", "modules/workspace/vault.tf", `purge_protection_enabled      = true`, "purge_protection_enabled = true\n  soft_delete_retention_days = 30",
		inPlace, `module.workspace.azurerm_key_vault.this`,
	}, "once `soft_delete_retention_days` has been configured it cannot be modified"},
	{singleChange{
		"that nothing is purged", "modules/workspace/vault.tf", `purge_protection_enabled      = true`, "purge_protection_enabled = false",
		inPlace, `module.workspace.azurerm_key_vault.this`,
	}, "once Purge Protection has been Enabled it's not possible to disable it"},
}

// refuse applies changes that must be refused, from a copy, and finds all as it was.
func (tf *terraform) refuse(changes []refusedChange) {
	tf.t.Helper()
	for _, s := range changes {
		other := tf.copied()
		other.plan(s.singleChange)
		out, status := other.run("apply", "-auto-approve", "-input=false", "-refresh=false", "-target="+s.address)
		if status == 0 || !strings.Contains(strings.Join(strings.Fields(strings.ReplaceAll(out, "│", " ")), " "), s.says) {
			tf.t.Errorf("%s: apply ends with %d, want a refusal that says %q:\n%s", s.what, status, s.says, tail(out, 2000))
		}
	}
	tf.wantNoChanges("after what was refused")
}

// edit writes a change into the copy of the example.
func (tf *terraform) edit(s singleChange) error {
	path := filepath.Join(tf.dir, s.file)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !strings.Contains(string(text), s.from) {
		return fmt.Errorf("%s: %s does not say %q", s.what, s.file, s.from)
	}
	return os.WriteFile(path, []byte(strings.Replace(string(text), s.from, s.to, 1)), 0o600)
}

// plansAtOnce is how many changes are planned at one time: the provider has a
// process for each.
const plansAtOnce = 2

// planEach plans every change alone, from what the first apply left, and holds the
// plan against what the change must be. Nothing is applied.
func (tf *terraform) planEach(changes []singleChange) {
	tf.t.Helper()
	eachOf(changes, func(s singleChange) { tf.copied().plan(s) })
}

// eachOf plans all of a list, some at one time.
func eachOf[T any](list []T, plan func(T)) {
	next := make(chan T)
	var planners sync.WaitGroup
	for range plansAtOnce {
		planners.Go(func() {
			for one := range next {
				plan(one)
			}
		})
	}
	for _, one := range list {
		next <- one
	}
	close(next)
	planners.Wait()
}

// copied is the same configuration and state in a folder of its own.
func (tf *terraform) copied() *terraform {
	other := *tf
	other.dir = filepath.Join(tf.t.TempDir(), "terraform")
	if err := os.CopyFS(other.dir, os.DirFS(tf.dir)); err != nil {
		tf.t.Error(err)
	}
	return &other
}

// plan plans one change.
func (tf *terraform) plan(s singleChange) {
	if err := tf.edit(s); err != nil {
		tf.t.Error(err)
		return
	}
	plan := filepath.Join(tf.dir, "plan")
	if out, status := tf.run("plan", "-input=false", "-refresh=false", "-out="+plan); status != 0 {
		tf.t.Errorf("%s: the plan ends with %d:\n%s", s.what, status, tail(out, 2000))
		return
	}
	planned, err := tf.planned(plan)
	if err != nil {
		tf.t.Error(err)
		return
	}
	if got := planned[s.address]; got != s.actions {
		tf.t.Errorf("%s: %s is planned as %q, want %q", s.what, s.address, got, s.actions)
	}
}
