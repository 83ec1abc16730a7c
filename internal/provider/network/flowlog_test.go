package network_test

import (
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v8"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/service"
)

func TestFlowLogs(t *testing.T) {
	c, factory, _ := start(t)
	in := func(typ, name string) arm.ID { return arm.ResourceID(cloudtest.Subscription, group, typ, name) }
	target := await[armnetwork.VirtualNetworksClientCreateOrUpdateResponse](t)(factory.NewVirtualNetworksClient().BeginCreateOrUpdate(t.Context(), group, "vnet", vnet("10.1.0.0/16"), nil))
	for name, place := range map[string]string{"stwest": "westeurope", "stnorth": "northeurope"} {
		put(t, c, arm.Resource{ID: in(service.TypeStorageAccount, name), Location: place, SKU: arm.Object{"name": "Standard_LRS"}, Properties: arm.Object{}})
	}
	if _, err := factory.NewWatchersClient().CreateOrUpdate(t.Context(), group, "nw", armnetwork.Watcher{Location: west}, nil); err != nil {
		t.Fatal(err)
	}
	logs := factory.NewFlowLogsClient()
	log := func(target, account arm.ID) armnetwork.FlowLog {
		return armnetwork.FlowLog{Location: west, Properties: &armnetwork.FlowLogPropertiesFormat{
			TargetResourceID: to.Ptr(string(target)), StorageID: to.Ptr(string(account)), Enabled: to.Ptr(true),
			Format:          &armnetwork.FlowLogFormatParameters{Type: to.Ptr(armnetwork.FlowLogFormatTypeJSON), Version: to.Ptr[int32](2)},
			RetentionPolicy: &armnetwork.RetentionPolicyParameters{Enabled: to.Ptr(true), Days: to.Ptr[int32](30)},
		}}
	}
	network, account := arm.ID(*target.ID), in(service.TypeStorageAccount, "stwest")
	made := await[armnetwork.FlowLogsClientCreateOrUpdateResponse](t)(logs.BeginCreateOrUpdate(t.Context(), group, "nw", "fl", log(network, account), nil))
	if *made.Properties.ProvisioningState != armnetwork.ProvisioningStateSucceeded || *made.Properties.TargetResourceGUID == "" || *made.Properties.RetentionPolicy.Days != 30 {
		t.Errorf("made %+v", *made.Properties)
	}
	for _, w := range []struct {
		name            string
		target, account arm.ID
		code            string
	}{
		{"a target that is not there", network + "2", account, "InvalidResourceReference"},
		{"a target that has no flows", account, account, "InvalidResourceReference"},
		{"an account that is not there", network, account + "2", "InvalidResourceReference"},
		{"an account of another region", network, in(service.TypeStorageAccount, "stnorth"), "StorageAccountLocationMismatch"},
		{"a second of one network", network, account, "FlowLogAlreadyExists"},
	} {
		_, err := logs.BeginCreateOrUpdate(t.Context(), group, "nw", "other", log(w.target, w.account), nil)
		t.Log(w.name)
		wantCode(t, err, 400, w.code)
	}
	await[armnetwork.FlowLogsClientDeleteResponse](t)(logs.BeginDelete(t.Context(), group, "nw", "fl", nil))
}
