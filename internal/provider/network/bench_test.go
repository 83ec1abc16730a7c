package network_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
	"github.com/cloister-ml/cloister/internal/provider/network"
	"github.com/cloister-ml/cloister/service"
)

type nothing struct{}

func (nothing) Sync(context.Context) error { return nil }

// A whole network of 200 documents, from the first PUT until all of it is real.
func BenchmarkNetworkOf200(b *testing.B) {
	for b.Loop() {
		c := cloudtest.Open(b, cloud.Options{Dir: b.TempDir(), Providers: func(cloud.Host) []cloud.Provider { return []cloud.Provider{network.New(nothing{})} }})
		cl := c.Client()
		put := func(r arm.Resource) {
			if _, err := cl.BeginPut(b.Context(), r); err != nil {
				b.Fatal(err)
			}
		}
		put(arm.Resource{ID: arm.GroupID(cloudtest.Subscription, group), Location: "westeurope"})
		vnet := arm.ResourceID(cloudtest.Subscription, group, service.TypeVirtualNetwork, "v")
		put(arm.Resource{ID: vnet, Location: "westeurope", Properties: arm.Object{"addressSpace": arm.Object{"addressPrefixes": []any{"10.0.0.0/8"}}}})
		for i := range 99 {
			subnet := vnet.Child("subnets", fmt.Sprintf("s%d", i))
			put(arm.Resource{ID: subnet, Properties: arm.Object{"addressPrefix": fmt.Sprintf("10.%d.0.0/16", i)}})
			put(arm.Resource{ID: arm.ResourceID(cloudtest.Subscription, group, service.TypeNetworkInterface, fmt.Sprintf("nic%d", i)), Location: "westeurope", Properties: arm.Object{
				"ipConfigurations": []any{arm.Object{"name": "default", "properties": arm.Object{"subnet": arm.Object{"id": string(subnet)}}}},
			}})
		}
		if err := c.Wait(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
