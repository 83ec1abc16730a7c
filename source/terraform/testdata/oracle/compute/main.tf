resource "azurerm_linux_virtual_machine" "full" {
  name = "lvm"
  location = "westeurope"
  resource_group_name = "rg"
  size = "Standard_D2s_v3"
  admin_username = "azureuser"
  network_interface_ids = ["${local.net}/networkInterfaces/n1", "${local.net}/networkInterfaces/n2"]
  availability_set_id = "${local.p}/Microsoft.Compute/availabilitySets/as"
  bypass_platform_safety_checks_on_user_schedule_enabled = true
  computer_name = "host"
  custom_data = "eA=="
  disk_controller_type = "SCSI"
  encryption_at_host_enabled = true
  license_type = "RHEL_BYOS"
  patch_mode = "AutomaticByPlatform"
  patch_assessment_mode = "AutomaticByPlatform"
  reboot_setting = "IfRequired"
  provision_vm_agent = true
  proximity_placement_group_id = "${local.p}/Microsoft.Compute/proximityPlacementGroups/ppg"
  secure_boot_enabled = true
  vtpm_enabled = true
  user_data = "eA=="
  additional_capabilities { 
    ultra_ssd_enabled = true 
    hibernation_enabled = true
  }
  admin_ssh_key {
    username = "azureuser"
    public_key = file("k.pub")
  }
  boot_diagnostics { storage_account_uri = "https://st.blob.core.windows.net/" }
  gallery_application {
    version_id = "${local.p}/Microsoft.Compute/galleries/g/applications/a/versions/1.0.0"
    order = 1
    tag = "t"
    configuration_blob_uri = "https://x.blob.core.windows.net/a/b"
  }
  identity { 
    type = "SystemAssigned, UserAssigned" 
    identity_ids = [local.uai]
  }
  os_disk {
    name = "od"
    caching = "ReadWrite"
    storage_account_type = "Premium_LRS"
    disk_encryption_set_id = local.des
    disk_size_gb = 64
  }
  os_image_notification { timeout = "PT15M" }
  termination_notification { 
    enabled = true 
    timeout = "PT10M"
  }
  plan { 
    name = "a" 
    product = "b" 
    publisher = "c" 
  }
  secret { 
    key_vault_id = local.kv
    certificate { url = "https://kv.vault.azure.net/secrets/c/1" }
  }
  source_image_reference { 
    publisher = "Canonical" 
    offer = "ubuntu" 
    sku = "server" 
    version = "latest" 
  }
}
resource "azurerm_linux_virtual_machine" "spot" {
  name = "lspot"
  location = "westeurope"
  resource_group_name = "rg"
  size = "Standard_D2s_v3"
  admin_username = "azureuser"
  admin_password = "not-a-real-Passw0rd"
  disable_password_authentication = false
  network_interface_ids = ["${local.net}/networkInterfaces/n1"]
  zone = "1"
  priority = "Spot"
  eviction_policy = "Deallocate"
  max_bid_price = 0.5
  capacity_reservation_group_id = null
  source_image_id = "${local.p}/Microsoft.Compute/images/i"
  os_disk { 
    caching = "ReadOnly" 
    storage_account_type = "Standard_LRS"
    diff_disk_settings { 
      option = "Local" 
      placement = "CacheDisk"
    }
  }
}
resource "azurerm_linux_virtual_machine" "cvm" {
  name = "lcvm"
  location = "westeurope"
  resource_group_name = "rg"
  size = "Standard_DC2as_v5"
  admin_username = "azureuser"
  admin_password = "not-a-real-Passw0rd"
  disable_password_authentication = false
  network_interface_ids = ["${local.net}/networkInterfaces/n1"]
  vtpm_enabled = true
  secure_boot_enabled = true
  dedicated_host_id = "${local.p}/Microsoft.Compute/hostGroups/hg/hosts/h"
  virtual_machine_scale_set_id = local.vmss
  platform_fault_domain = 0
  source_image_id = "${local.p}/Microsoft.Compute/images/i"
  os_disk { 
    caching = "ReadOnly" 
    storage_account_type = "Standard_LRS"
    security_encryption_type = "DiskWithVMGuestState"
    secure_vm_disk_encryption_set_id = local.des
  }
}
resource "azurerm_windows_virtual_machine" "min" {
  name = "wmin"
  location = "westeurope"
  resource_group_name = "rg"
  size = "Standard_D2s_v3"
  admin_username = "azureuser"
  admin_password = "not-a-real-Passw0rd"
  network_interface_ids = ["${local.net}/networkInterfaces/n1"]
  os_disk { 
    caching = "ReadWrite" 
    storage_account_type = "Premium_LRS" 
  }
  source_image_reference { 
    publisher = "a" 
    offer = "b" 
    sku = "c" 
    version = "latest" 
  }
}
resource "azurerm_windows_virtual_machine" "full" {
  name = "wfull"
  location = "westeurope"
  resource_group_name = "rg"
  size = "Standard_D2s_v3"
  admin_username = "azureuser"
  admin_password = "not-a-real-Passw0rd"
  network_interface_ids = ["${local.net}/networkInterfaces/n1"]
    patch_mode = "AutomaticByPlatform"
  patch_assessment_mode = "AutomaticByPlatform"
  license_type = "Windows_Server"
  timezone = "UTC"
  automatic_updates_enabled = true
  additional_unattend_content { 
    setting = "AutoLogon" 
    content = "<x/>"
  }
  winrm_listener { protocol = "Http" }
  secret { 
    key_vault_id = local.kv
    certificate { 
      url = "https://kv.vault.azure.net/secrets/c/1" 
      store = "My"
    }
  }
  boot_diagnostics {}
  os_disk { 
    caching = "ReadWrite" 
    storage_account_type = "Premium_LRS" 
  }
  source_image_reference { 
    publisher = "a" 
    offer = "b" 
    sku = "c" 
    version = "latest" 
  }
}
resource "azurerm_linux_virtual_machine_scale_set" "min" {
  name = "lssmin"
  location = "westeurope"
  resource_group_name = "rg"
  sku = "Standard_D2s_v3"
  instances = 2
  admin_username = "azureuser"
  admin_ssh_key {
    username = "azureuser"
    public_key = file("k.pub")
  }
  network_interface { 
    name = "nic"
    primary = true
    ip_configuration { 
      name = "ip" 
      primary = true
      subnet_id = local.sn
    }
  }
  os_disk { 
    caching = "ReadWrite" 
    storage_account_type = "Standard_LRS" 
  }
  source_image_reference { 
    publisher = "a" 
    offer = "b" 
    sku = "c" 
    version = "latest" 
  }
}
resource "azurerm_linux_virtual_machine_scale_set" "full" {
  name = "lssfull"
  location = "westeurope"
  resource_group_name = "rg"
  sku = "Standard_D2s_v3"
  instances = 2
  admin_username = "azureuser"
  admin_password = "not-a-real-Passw0rd"
  disable_password_authentication = false
  computer_name_prefix = "agent"
  custom_data = "eA=="
  do_not_run_extensions_on_overprovisioned_machines = true
  encryption_at_host_enabled = true
  priority = "Spot"
  eviction_policy = "Delete"
  max_bid_price = 0.5
  extensions_time_budget = "PT1H"
  health_probe_id = "${local.net}/loadBalancers/lb/probes/p"
  overprovision = false
  platform_fault_domain_count = 1
  proximity_placement_group_id = "${local.p}/Microsoft.Compute/proximityPlacementGroups/ppg"
  resilient_vm_creation_enabled = true
  resilient_vm_deletion_enabled = true
  secure_boot_enabled = true
  vtpm_enabled = true
  single_placement_group = false
  upgrade_mode = "Rolling"
  user_data = "eA=="
  zone_balance = true
  zones = ["1", "2"]
  additional_capabilities { ultra_ssd_enabled = true }
  automatic_instance_repair { 
    enabled = true 
    action = "Replace"
    grace_period = "PT30M"
  }
  automatic_os_upgrade_policy { 
    automatic_os_upgrade_enabled = true
    automatic_rollback_enabled = true
  }
  boot_diagnostics {}
  data_disk { 
    caching = "None" 
    disk_size_gb = 10
    lun = 0
    storage_account_type = "Premium_LRS"
    disk_encryption_set_id = local.des
  }
  extension { 
    name = "ext" 
    publisher = "p"
    type = "t"
    type_handler_version = "1.0"
    settings = jsonencode({ a = 1 })
    protected_settings = jsonencode({ b = 1 })
    automatic_upgrade_enabled = true
    force_update_tag = "x"
  }
  extension { 
    name = "ext2" 
    publisher = "p"
    type = "t"
    type_handler_version = "1.0"
    provision_after_extensions = ["ext"]
    protected_settings_from_key_vault {
      secret_url = "https://kv.vault.azure.net/secrets/c/1"
      source_vault_id = local.kv
    }
  }
  gallery_application {
    version_id = "${local.p}/Microsoft.Compute/galleries/g/applications/a/versions/1.0.0"
  }
  identity { 
    type = "UserAssigned" 
    identity_ids = [local.uai]
  }
  network_interface { 
    name = "nic"
    primary = true
    accelerated_networking_enabled = true
    ip_forwarding_enabled = true
    dns_servers = ["10.0.0.4"]
    network_security_group_id = "${local.net}/networkSecurityGroups/nsg"
    ip_configuration { 
      name = "ip" 
      primary = true
      subnet_id = local.sn
      application_security_group_ids = ["${local.net}/applicationSecurityGroups/asg"]
      load_balancer_backend_address_pool_ids = ["${local.net}/loadBalancers/lb/backendAddressPools/p"]
      application_gateway_backend_address_pool_ids = ["${local.net}/applicationGateways/agw/backendAddressPools/p"]
      load_balancer_inbound_nat_rules_ids = ["${local.net}/loadBalancers/lb/inboundNatPools/p"]
      public_ip_address { 
        name = "pip" 
        domain_name_label = "d"
        idle_timeout_in_minutes = 5
        public_ip_prefix_id = "${local.net}/publicIPPrefixes/pp"
        ip_tag { 
          tag = "a" 
          type = "b"
        }
      }
    }
  }
  os_disk { 
    caching = "ReadWrite" 
    storage_account_type = "Premium_LRS" 
    disk_encryption_set_id = local.des
    disk_size_gb = 40
  }
  rolling_upgrade_policy { 
    max_batch_instance_percent = 20
    max_unhealthy_instance_percent = 20
    max_unhealthy_upgraded_instance_percent = 20
    pause_time_between_batches = "PT1M"
    cross_zone_upgrades_enabled = true
    prioritize_unhealthy_instances_enabled = true
    maximum_surge_instances_enabled = false
  }
  scale_in { 
    rule = "OldestVM" 
    force_deletion_enabled = true
  }
  secret { 
    key_vault_id = local.kv
    certificate { url = "https://kv.vault.azure.net/secrets/c/1" }
  }
  source_image_id = "${local.p}/Microsoft.Compute/images/i"
  spot_restore { enabled = true }
  termination_notification { enabled = true }
  plan { 
    name = "a" 
    product = "b" 
    publisher = "c" 
  }
}
resource "azurerm_windows_virtual_machine_scale_set" "w" {
  name = "wss"
  location = "westeurope"
  resource_group_name = "rg"
  sku = "Standard_D2s_v3"
  instances = 1
  admin_username = "azureuser"
  admin_password = "not-a-real-Passw0rd"
  computer_name_prefix = "agent"
  timezone = "UTC"
  license_type = "Windows_Server"
  additional_unattend_content { 
    setting = "AutoLogon" 
    content = "<x/>"
  }
  winrm_listener { protocol = "Http" }
  secret { 
    key_vault_id = local.kv
    certificate { 
      url = "https://kv.vault.azure.net/secrets/c/1" 
      store = "My"
    }
  }
  network_interface { 
    name = "nic"
    primary = true
    ip_configuration { 
      name = "ip" 
      primary = true
      subnet_id = local.sn
    }
  }
  os_disk { 
    caching = "ReadOnly" 
    storage_account_type = "Standard_LRS" 
    diff_disk_settings { option = "Local" }
  }
  source_image_reference { 
    publisher = "a" 
    offer = "b" 
    sku = "c" 
    version = "latest" 
  }
}
resource "azurerm_orchestrated_virtual_machine_scale_set" "o" {
  name = "oss"
  location = "westeurope"
  resource_group_name = "rg"
  sku_name = "Standard_D2s_v3"
  instances = 2
  platform_fault_domain_count = 1
  single_placement_group = false
  zones = ["1"]
  encryption_at_host_enabled = true
  extension_operations_enabled = true
  user_data_base64 = "eA=="
  automatic_instance_repair { enabled = true }
  boot_diagnostics {}
  data_disk { 
    caching = "None" 
    disk_size_gb = 10
    lun = 0
    storage_account_type = "Premium_LRS"
  }
  extension { 
    name = "HealthExtension" 
    publisher = "Microsoft.ManagedServices"
    type = "ApplicationHealthLinux"
    type_handler_version = "1.0"
    settings = jsonencode({ a = 1 })
    auto_upgrade_minor_version_enabled = true
    failure_suppression_enabled = true
    extensions_to_provision_after_vm_creation = []
  }
  identity { 
    type = "UserAssigned" 
    identity_ids = [local.uai]
  }
  network_interface { 
    name = "nic"
    primary = true
    accelerated_networking_enabled = false
    network_security_group_id = "${local.net}/networkSecurityGroups/nsg"
    ip_configuration { 
      name = "ip" 
      primary = true
      subnet_id = local.sn
      public_ip_address { 
        name = "pip" 
        sku_name = "Standard_Regional"
      }
    }
  }
  os_disk { 
    caching = "ReadWrite" 
    storage_account_type = "Premium_LRS" 
  }
  os_profile { 
    custom_data = "eA=="
    linux_configuration { 
      admin_username = "azureuser"
      admin_ssh_key { 
        username = "azureuser"
        public_key = file("k.pub")
      }
    }
  }
  priority = "Regular"
  source_image_reference { 
    publisher = "a" 
    offer = "b" 
    sku = "c" 
    version = "latest" 
  }
  termination_notification { enabled = true }
}
resource "azurerm_orchestrated_virtual_machine_scale_set" "w" {
  name = "ossw"
  location = "westeurope"
  resource_group_name = "rg"
  sku_name = "Standard_D2s_v3"
  instances = 2
  platform_fault_domain_count = 1
  network_interface { 
    name = "nic"
    primary = true
    ip_configuration { 
      name = "ip" 
      primary = true
      subnet_id = local.sn
    }
  }
  os_disk { 
    caching = "ReadWrite" 
    storage_account_type = "Premium_LRS" 
  }
  os_profile { 
    windows_configuration { 
      admin_username = "azureuser"
      admin_password = "not-a-real-Passw0rd"
      computer_name_prefix = "c"
    }
  }
  source_image_id = "${local.p}/Microsoft.Compute/images/i"
}
resource "azurerm_orchestrated_virtual_machine_scale_set" "e" {
  name = "osse"
  location = "westeurope"
  resource_group_name = "rg"
  platform_fault_domain_count = 1
  zones = ["1"]
}
resource "azurerm_virtual_machine_scale_set_extension" "e" {
  name = "e"
  virtual_machine_scale_set_id = local.vmss
  publisher = "p"
  type = "t"
  type_handler_version = "1.0"
  settings = jsonencode({ a = 1 })
  protected_settings = jsonencode({ b = 1 })
  provision_after_extensions = ["x"]
  force_update_tag = "f"
}
resource "azurerm_managed_disk" "m" {
  name = "disk"
  location = "westeurope"
  resource_group_name = "rg"
  storage_account_type = "Premium_LRS"
  create_option = "Empty"
  disk_size_gb = 10
  disk_encryption_set_id = local.des
  network_access_policy = "AllowPrivate"
  disk_access_id = "${local.p}/Microsoft.Compute/diskAccesses/da"
  public_network_access_enabled = false
  zone = "1"
  tier = "P10"
  max_shares = 2
  os_type = "Linux"
}
resource "azurerm_managed_disk" "c" {
  name = "diskc"
  location = "westeurope"
  resource_group_name = "rg"
  storage_account_type = "Standard_LRS"
  create_option = "Copy"
  source_resource_id = "${local.p}/Microsoft.Compute/disks/d1"
  disk_size_gb = 40
}
resource "azurerm_managed_disk" "i" {
  name = "diski"
  location = "westeurope"
  resource_group_name = "rg"
  storage_account_type = "UltraSSD_LRS"
  create_option = "Empty"
  disk_size_gb = 40
  disk_iops_read_write = 1000
  disk_mbps_read_write = 100
  logical_sector_size = 512
}
resource "azurerm_virtual_machine_data_disk_attachment" "a" {
  managed_disk_id = "${local.p}/Microsoft.Compute/disks/d1"
  virtual_machine_id = azurerm_windows_virtual_machine.min.id
  lun = 10
  caching = "ReadWrite"
}
resource "azurerm_availability_set" "a" {
  name = "as"
  location = "westeurope"
  resource_group_name = "rg"
  proximity_placement_group_id = "${local.p}/Microsoft.Compute/proximityPlacementGroups/ppg"
}
resource "azurerm_proximity_placement_group" "a" {
  name = "ppg"
  location = "westeurope"
  resource_group_name = "rg"
  allowed_vm_sizes = ["Standard_D2s_v3"]
  zone = "1"
}
resource "azurerm_disk_encryption_set" "a" {
  name = "des"
  location = "westeurope"
  resource_group_name = "rg"
  key_vault_key_id = "https://kv.vault.azure.net/keys/k/abc"
  encryption_type = "EncryptionAtRestWithPlatformAndCustomerKeys"
  auto_key_rotation_enabled = false
  federated_client_id = local.g
  identity { type = "SystemAssigned" }
}
resource "azurerm_disk_access" "a" {
  name = "da"
  location = "westeurope"
  resource_group_name = "rg"
}
resource "azurerm_image" "a" {
  name = "img"
  location = "westeurope"
  resource_group_name = "rg"
  hyper_v_generation = "V2"
  zone_resilient = true
  os_disk { 
    os_type = "Linux" 
    os_state = "Generalized"
    managed_disk_id = "${local.p}/Microsoft.Compute/disks/d1"
    size_gb = 30
    caching = "None"
    storage_type = "Standard_LRS"
    disk_encryption_set_id = local.des
  }
  data_disk { 
    lun = 1
    size_gb = 3
    storage_type = "Standard_LRS"
    caching = "None"
    blob_uri = "https://x.blob.core.windows.net/a/b.vhd"
  }
}
resource "azurerm_image" "b" {
  name = "imgv"
  location = "westeurope"
  resource_group_name = "rg"
  source_virtual_machine_id = local.vm
}
resource "azurerm_shared_image_gallery" "a" {
  name = "gal"
  location = "westeurope"
  resource_group_name = "rg"
  description = "d"
}
resource "azurerm_shared_image" "a" {
  name = "si"
  gallery_name = "gal"
  location = "westeurope"
  resource_group_name = "rg"
  os_type = "Linux"
  identifier { 
    publisher = "a" 
    offer = "b" 
    sku = "c" 
  }
  architecture = "x64"
  hyper_v_generation = "V2"
  trusted_launch_enabled = true
  accelerated_network_support_enabled = true
  hibernation_enabled = true
  disk_controller_type_nvme_enabled = true
  description = "d"
  eula = "e"
  release_note_uri = "https://r"
  privacy_statement_uri = "https://p"
  end_of_life_date = "2030-01-01T00:00:00Z"
  disk_types_not_allowed = ["Standard_LRS"]
  max_recommended_memory_in_gb = 8
  min_recommended_memory_in_gb = 1
  max_recommended_vcpu_count = 8
  min_recommended_vcpu_count = 1
  purchase_plan { 
    name = "a" 
    publisher = "b" 
    product = "c"
  }
}
resource "azurerm_shared_image" "sp" {
  name = "sisp"
  gallery_name = "gal"
  location = "westeurope"
  resource_group_name = "rg"
  os_type = "Linux"
  specialized = true
  identifier { 
    publisher = "a" 
    offer = "b" 
    sku = "c" 
  }
}
resource "azurerm_ssh_public_key" "a" {
  name = "key"
  location = "westeurope"
  resource_group_name = "rg"
  public_key = file("k.pub")
}
resource "azurerm_dedicated_host_group" "a" {
  name = "hg"
  location = "westeurope"
  resource_group_name = "rg"
  platform_fault_domain_count = 1
  automatic_placement_enabled = true
  zone = "1"
}
resource "azurerm_dedicated_host" "a" {
  name = "host1"
  location = "westeurope"
  dedicated_host_group_id = "${local.p}/Microsoft.Compute/hostGroups/hg0"
  sku_name = "DSv3-Type1"
  platform_fault_domain = 0
  license_type = "Windows_Server_Hybrid"
}
resource "azurerm_dev_test_global_vm_shutdown_schedule" "a" {
  virtual_machine_id = local.vm
  location = "westeurope"
  enabled = true
  daily_recurrence_time = "1900"
  timezone = "UTC"
  notification_settings { 
    enabled = true 
    time_in_minutes = 15
    webhook_url = "https://x"
    email = "a@example.com"
  }
}
resource "azurerm_virtual_machine_run_command" "a" {
  name = "rc"
  location = "westeurope"
  virtual_machine_id = local.vm
  source { script = "echo" }
  run_as_user = "u"
  run_as_password = "p"
  parameter { 
    name = "a" 
    value = "b"
  }
  protected_parameter { 
    name = "a" 
    value = "b"
  }
  output_blob_uri = "https://x.blob.core.windows.net/a/b"
}
resource "azurerm_snapshot" "a" {
  name = "snap"
  location = "westeurope"
  resource_group_name = "rg"
  create_option = "Copy"
  source_uri = "${local.p}/Microsoft.Compute/disks/d1"
  incremental_enabled = true
}
resource "azurerm_capacity_reservation_group" "a" {
  name = "crg"
  location = "westeurope"
  resource_group_name = "rg"
  zones = ["1"]
}
resource "azurerm_capacity_reservation" "a" {
  name = "cr"
  capacity_reservation_group_id = azurerm_capacity_reservation_group.a.id
  zone = "1"
  sku { 
    name = "Standard_D2s_v3" 
    capacity = 1
  }
}
resource "azurerm_maintenance_configuration" "a" {
  name = "mc"
  location = "westeurope"
  resource_group_name = "rg"
  scope = "InGuestPatch"
  in_guest_user_patch_mode = "User"
  window { 
    start_date_time = "2027-01-01 00:00"
    time_zone = "UTC"
    recur_every = "1Day"
    duration = "02:00"
  }
  install_patches { 
    reboot = "Always"
    linux { 
      classifications_to_include = ["Critical"]
    }
  }
}
resource "azurerm_virtual_machine" "legacy" {
  name = "legacy"
  location = "westeurope"
  resource_group_name = "rg"
  vm_size = "Standard_D2s_v3"
  network_interface_ids = ["${local.net}/networkInterfaces/n1"]
  primary_network_interface_id = "${local.net}/networkInterfaces/n1"
  delete_os_disk_on_termination = true
  zones = ["1"]
  identity { type = "SystemAssigned" }
  storage_image_reference { 
    publisher = "a" 
    offer = "b" 
    sku = "c" 
    version = "latest" 
  }
  storage_os_disk { 
    name = "od"
    caching = "ReadWrite"
    create_option = "FromImage"
    managed_disk_type = "Premium_LRS"
  }
  storage_data_disk { 
    name = "dd"
    lun = 0
    create_option = "Empty"
    disk_size_gb = 10
    managed_disk_type = "Premium_LRS"
  }
  os_profile { 
    computer_name = "h"
    admin_username = "azureuser"
    admin_password = "not-a-real-Passw0rd"
    custom_data = "x"
  }
  os_profile_linux_config { 
    disable_password_authentication = true
    ssh_keys { 
      path = "/home/azureuser/.ssh/authorized_keys"
      key_data = "ssh-rsa AAAA"
    }
  }
  boot_diagnostics { 
    enabled = true
    storage_uri = "https://st.blob.core.windows.net/"
  }
}
resource "azurerm_virtual_machine" "legacyw" {
  name = "legacyw"
  location = "westeurope"
  resource_group_name = "rg"
  vm_size = "Standard_D2s_v3"
  network_interface_ids = ["${local.net}/networkInterfaces/n1"]
  storage_os_disk { 
    name = "od"
    create_option = "FromImage"
    vhd_uri = "https://x.blob.core.windows.net/a/b.vhd"
  }
  storage_image_reference { id = "${local.p}/Microsoft.Compute/images/i" }
  os_profile { 
    computer_name = "h"
    admin_username = "azureuser"
    admin_password = "not-a-real-Passw0rd"
  }
  os_profile_windows_config { 
    provision_vm_agent = true
    enable_automatic_upgrades = true
    timezone = "UTC"
    winrm { protocol = "HTTP" }
  }
}
resource "azurerm_virtual_machine_scale_set" "legacy" {
  name = "legacyss"
  location = "westeurope"
  resource_group_name = "rg"
  upgrade_policy_mode = "Manual"
  sku { 
    name = "Standard_D2s_v3"
    tier = "Standard"
    capacity = 2
  }
  storage_profile_image_reference { 
    publisher = "a" 
    offer = "b" 
    sku = "c" 
    version = "latest" 
  }
  storage_profile_os_disk { 
    caching = "ReadWrite"
    create_option = "FromImage"
    managed_disk_type = "Standard_LRS"
  }
  os_profile { 
    computer_name_prefix = "vm"
    admin_username = "azureuser"
    admin_password = "not-a-real-Passw0rd"
  }
  os_profile_linux_config { 
    disable_password_authentication = false
  }
  network_profile { 
    name = "np"
    primary = true
    ip_configuration { 
      name = "ip"
      primary = true
      subnet_id = local.sn
    }
  }
}
resource "azurerm_gallery_application" "a" {
  name              = "app"
  gallery_id        = azurerm_shared_image_gallery.a.id
  location          = "westeurope"
  supported_os_type = "Linux"
}
resource "azurerm_shared_image_version" "v" {
  name                = "1.0.0"
  gallery_name        = azurerm_shared_image_gallery.a.name
  image_name          = azurerm_shared_image.a.name
  resource_group_name = "rg"
  location            = "westeurope"
  managed_image_id    = "${local.p}/Microsoft.Compute/images/i"
  target_region {
    name                   = "westeurope"
    regional_replica_count = 1
  }
}
