"""The Azure SDK for Python, unchanged, against the cloud that the environment names."""

import os

from azure.ai.ml import MLClient
from azure.identity import DefaultAzureCredential
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.storage import StorageManagementClient
from azure.storage.blob import BlobServiceClient

subscription = os.environ["AZURE_SUBSCRIPTION_ID"]
credential = DefaultAzureCredential()
GROUP = "rgpython"


def control_plane():
    resources = ResourceManagementClient(credential, subscription)
    group = resources.resource_groups.create_or_update(GROUP, {"location": "westeurope", "tags": {"by": "python"}})
    assert group.properties.provisioning_state == "Succeeded", group
    assert GROUP in [g.name for g in resources.resource_groups.list()]

    network = NetworkManagementClient(credential, subscription)
    made = network.virtual_networks.begin_create_or_update(GROUP, "vnet", {
        "location": "westeurope",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.9.0.0/16"]},
            "subnets": [{"name": "one", "properties": {"addressPrefix": "10.9.1.0/24"}}],
        },
    }).result()
    assert made.provisioning_state == "Succeeded" and made.subnets[0].name == "one", made


def blobs():
    storage = StorageManagementClient(credential, subscription)
    account = storage.storage_accounts.begin_create(GROUP, "stpythonsdk", {
        "location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"},
    }).result()
    key = storage.storage_accounts.list_keys(GROUP, account.name).keys_property[0].value
    client = BlobServiceClient(account.primary_endpoints.blob, credential=key)
    container = client.create_container("data")
    container.upload_blob("hello.txt", b"hello, python")
    assert container.download_blob("hello.txt").readall() == b"hello, python"
    assert [b.name for b in container.list_blobs()] == ["hello.txt"]


def workspace():
    resources = ResourceManagementClient(credential, subscription)
    base = f"/subscriptions/{subscription}/resourceGroups/{GROUP}/providers"
    ids = {
        "storageAccount": f"{base}/Microsoft.Storage/storageAccounts/stpythonsdk",
        "keyVault": f"{base}/Microsoft.KeyVault/vaults/kvpythonsdk",
        "applicationInsights": f"{base}/Microsoft.Insights/components/appipython",
    }
    resources.resources.begin_create_or_update_by_id(ids["keyVault"], api_version="2023-07-01", parameters={
        "location": "westeurope",
        "properties": {"tenantId": os.environ["AZURE_TENANT_ID"], "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": True},
    }).result()
    resources.resources.begin_create_or_update_by_id(ids["applicationInsights"], api_version="2020-02-02", parameters={
        "location": "westeurope", "kind": "web", "properties": {"Application_Type": "web"},
    }).result()
    resources.resources.begin_create_or_update_by_id(f"{base}/Microsoft.MachineLearningServices/workspaces/mlwpython", api_version="2024-10-01", parameters={
        "location": "westeurope", "identity": {"type": "SystemAssigned"}, "properties": ids,
    }).result()
    client = MLClient(credential, subscription, GROUP, "mlwpython")
    got = client.workspaces.get("mlwpython")
    assert got.name == "mlwpython" and got.storage_account.lower() == ids["storageAccount"].lower(), got
    assert [w.name for w in client.workspaces.list()] == ["mlwpython"]
    assert list(client.models.list()) == []


for step in (control_plane, blobs, workspace):
    step()
    print(step.__name__, "done", flush=True)
print("all done")
