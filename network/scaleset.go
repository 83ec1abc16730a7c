package network

import (
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

const typeScaleSet = "Microsoft.Compute/virtualMachineScaleSets"

// scaleSets are the machines of scale sets: as many as the capacity says, each with
// the interfaces of the profile, by the ids that Azure gives them
// ({set}/virtualMachines/{n}/networkInterfaces/{name}). Where the capacity is not
// known one stands for them. A set whose machines are documents of their own has
// none here.
func (b *builder) scaleSets() {
	own := map[string]bool{}
	for _, vm := range b.e.OfType(typeVM) {
		own[arm.Ref(vm.Properties, "virtualMachineScaleSet.id").Key()] = true
	}
	for _, r := range b.e.OfType(typeScaleSet) {
		if own[r.ID.Key()] {
			continue
		}
		count := 1
		if _, unknown := arm.UnknownAt(r.SKU, "capacity"); !unknown {
			count = min(max(arm.Int(r.SKU, "capacity", 1), 0), mostNodes)
		}
		for i := range count {
			b.instance(r, i)
		}
	}
}

// instance adds the interfaces of one machine of a scale set.
func (b *builder) instance(r arm.Resource, i int) {
	machine := r.ID.Child("virtualMachines", fmt.Sprint(i))
	var doubts Doubts
	d := b.read(r, &doubts)
	for _, o := range d.objects("virtualMachineProfile.networkProfile.networkInterfaceConfigurations", "network interface") {
		p := pendingNIC{doc: r, nic: NIC{ID: machine.Child("networkInterfaces", nameOf(o.o, 0)), Owner: r.ID,
			Name: fmt.Sprintf("%s_%d", r.ID.Name(), i), Kind: KindVM, Via: ViaDefault}}
		n := &p.nic
		o.doubts = &n.Doubts
		n.NSG = b.association(o.as(aboutNSG), "properties."+aboutNSG)
		n.IPForwarding = o.as(aboutForward).flag("properties."+aboutForward, false)
		for _, c := range o.as(aboutConfigs).objects("properties.ipConfigurations", "IP configuration") {
			c.about = ""
			cfg := c.ipConfig(n)
			if public, ok := arm.Lookup(c.o, "properties.publicIPAddressConfiguration"); ok && public != nil {
				name := arm.String(c.o, "properties.publicIPAddressConfiguration.name")
				cfg.public = n.ID.Child("ipConfigurations", nameOf(c.o, 0)).Child("publicIPAddresses", name)
				cfg.own = true
				b.t.skus[cfg.public.Key()] = !strings.EqualFold(arm.String(c.o, "properties.publicIPAddressConfiguration.sku.name"), "Basic")
			}
			p.configs = append(p.configs, cfg)
		}
		b.checkSubnetOf(r, n)
		b.pending = append(b.pending, p)
	}
}
