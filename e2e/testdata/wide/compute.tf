# What computes, and azapi beside azurerm.
resource "azurerm_subnet" "compute" {
  for_each = {
    AzureBastionSubnet = "10.0.8.0/26"
    nodes              = "10.0.9.0/24"
    instances          = "10.0.10.0/24"
  }
  name                 = each.key
  resource_group_name  = azurerm_resource_group.this.name
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = [each.value]
}
resource "azurerm_public_ip" "bastion" {
  name                = "pip-bastion"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  allocation_method   = "Static"
  sku                 = "Standard"
}
resource "azurerm_bastion_host" "this" {
  name                = "bas-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  sku                 = "Standard"
  ip_configuration {
    name                 = "one"
    subnet_id            = azurerm_subnet.compute["AzureBastionSubnet"].id
    public_ip_address_id = azurerm_public_ip.bastion.id
  }
}
resource "azurerm_linux_virtual_machine" "this" {
  name                            = "vm-wide"
  resource_group_name             = azurerm_resource_group.this.name
  location                        = local.location
  size                            = "Standard_D2s_v5"
  admin_username                  = "azureuser"
  admin_password                  = "H@Sh1CoR3!h@sh"
  disable_password_authentication = false
  network_interface_ids           = [azurerm_network_interface.this.id]
  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "StandardSSD_LRS"
  }
  source_image_reference {
    publisher = "Canonical"
    offer     = "ubuntu-24_04-lts"
    sku       = "server"
    version   = "latest"
  }
  depends_on = [azurerm_network_interface_application_security_group_association.this]
}
resource "azurerm_virtual_machine_extension" "this" {
  name                 = "hello"
  virtual_machine_id   = azurerm_linux_virtual_machine.this.id
  publisher            = "Microsoft.Azure.Monitor"
  type                 = "AzureMonitorLinuxAgent"
  type_handler_version = "1.0"
}
resource "azurerm_network_interface" "windows" {
  name                = "nic-windows"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  ip_configuration {
    name                          = "one"
    subnet_id                     = azurerm_subnet.compute["instances"].id
    private_ip_address_allocation = "Static"
    private_ip_address            = "10.0.10.10"
  }
}
resource "azurerm_windows_virtual_machine" "this" {
  name                  = "win-wide"
  resource_group_name   = azurerm_resource_group.this.name
  location              = local.location
  size                  = "Standard_D2s_v5"
  admin_username        = "azureuser"
  admin_password        = "H@Sh1CoR3!h@sh"
  network_interface_ids = [azurerm_network_interface.windows.id]
  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "StandardSSD_LRS"
  }
  source_image_reference {
    publisher = "MicrosoftWindowsServer"
    offer     = "WindowsServer"
    sku       = "2022-datacenter-azure-edition"
    version   = "latest"
  }
}
resource "azurerm_managed_disk" "this" {
  name                 = "disk-wide"
  resource_group_name  = azurerm_resource_group.this.name
  location             = local.location
  storage_account_type = "Premium_LRS"
  create_option        = "Empty"
  disk_size_gb         = 32
}
resource "azurerm_backup_protected_vm" "this" {
  resource_group_name = azurerm_resource_group.this.name
  recovery_vault_name = azurerm_recovery_services_vault.this.name
  source_vm_id        = azurerm_linux_virtual_machine.this.id
  backup_policy_id    = azurerm_backup_policy_vm.this.id
}
resource "azurerm_kubernetes_cluster" "this" {
  name                = "aks-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  dns_prefix          = "wide"
  default_node_pool {
    name           = "system"
    vm_size        = "Standard_D2s_v5"
    node_count     = 1
    vnet_subnet_id = azurerm_subnet.compute["nodes"].id
  }
  identity {
    type = "SystemAssigned"
  }
  node_provisioning_profile {
    mode = "Manual"
  }
  network_profile {
    network_plugin = "azure"
    service_cidr   = "172.16.0.0/16"
    dns_service_ip = "172.16.0.10"
  }
}
resource "azurerm_kubernetes_cluster_node_pool" "this" {
  name                  = "jobs"
  kubernetes_cluster_id = azurerm_kubernetes_cluster.this.id
  vm_size               = "Standard_D2s_v5"
  node_count            = 1
  vnet_subnet_id        = azurerm_subnet.compute["nodes"].id
}
resource "azurerm_kubernetes_cluster_extension" "this" {
  name           = "azureml"
  cluster_id     = azurerm_kubernetes_cluster.this.id
  extension_type = "microsoft.azureml.kubernetes"
}
resource "azurerm_machine_learning_compute_instance" "this" {
  name                          = "ci-wide"
  machine_learning_workspace_id = azurerm_machine_learning_workspace.this.id
  virtual_machine_size          = "STANDARD_DS2_V2"
}
resource "azurerm_lb" "this" {
  name                = "lb-wide"
  resource_group_name = azurerm_resource_group.this.name
  location            = local.location
  sku                 = "Standard"
  frontend_ip_configuration {
    name      = "inside"
    subnet_id = azurerm_subnet.compute["nodes"].id
  }
}
resource "azurerm_lb_backend_address_pool" "this" {
  name            = "pool"
  loadbalancer_id = azurerm_lb.this.id
}
resource "azapi_resource" "storage" {
  type      = "Microsoft.Storage/storageAccounts@2023-01-01"
  name      = "stwideapi"
  parent_id = azurerm_resource_group.this.id
  location  = local.location
  body = jsonencode({
    kind       = "StorageV2"
    sku        = { name = "Standard_LRS" }
    properties = { allowBlobPublicAccess = false }
  })
}
resource "azapi_resource" "registry" {
  type      = "Microsoft.MachineLearningServices/workspaces/outboundRules@2023-08-01-preview"
  name      = "pypi"
  parent_id = azurerm_machine_learning_workspace.this.id
  body = jsonencode({
    properties = { type = "FQDN", destination = "pypi.org", category = "UserDefined" }
  })
}
resource "azapi_update_resource" "workspace" {
  type        = "Microsoft.MachineLearningServices/workspaces@2023-10-01"
  resource_id = azurerm_machine_learning_workspace.this.id
  body        = jsonencode({ properties = { description = "wide" } })
}
resource "azapi_resource_action" "start" {
  type        = "Microsoft.Compute/virtualMachines@2023-09-01"
  resource_id = azurerm_linux_virtual_machine.this.id
  action      = "start"
}
