package network

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

const (
	aboutConfigs  = "ipConfigurations"
	aboutAddr     = "privateIPAddress"
	aboutPublic   = "publicIPAddress.id"
	aboutASGs     = "applicationSecurityGroups"
	aboutNodePub  = "enableNodePublicIp"
	aboutSubnet   = "subnet.id"
	aboutApproval = "privateLinkServiceConnectionState.status"
	aboutTarget   = "privateLinkServiceId"
	aboutForward  = "enableIPForwarding"
	aboutPool     = "loadBalancerBackendAddressPools"
)

// mostNodes bounds how many nodes of one compute cluster are modelled: beyond
// it they only repeat.
const mostNodes = 1024

// pendingNIC is a NIC whose addresses are still to be given.
type pendingNIC struct {
	nic     NIC
	doc     arm.Resource
	configs []ipConfig
	last    bool // after all others: compute nodes
}

// ipConfig is one address of a NIC: asked for, or left to the subnet.
type ipConfig struct {
	member string // of a private endpoint
	addr   netip.Addr
	six    bool
	public arm.ID
	own    bool     // public has no document: the address is the machine's own
	hidden bool     // the address is there but not known
	pools  []arm.ID // backend pools of load balancers
	rules  []arm.ID // inbound NAT rules of load balancers
}

// vmNICs are the networkInterfaces documents, save those that belong to private
// endpoints: an endpoint is modelled once, by its own id.
func (b *builder) vmNICs() {
	owners := map[string]arm.Resource{}
	for _, vm := range b.e.OfType(typeVM) {
		for _, o := range arm.Objects(vm.Properties, "networkProfile.networkInterfaces") {
			if id := arm.Ref(o, "id"); id != "" {
				owners[id.Key()] = vm
			}
		}
	}
	for _, r := range b.e.OfType(service.TypeNetworkInterface) {
		if _, ok := b.endpoint[r.ID.Key()]; ok {
			continue
		}
		b.vmNIC(r, owners[r.ID.Key()])
	}
}

func (b *builder) vmNIC(r, vm arm.Resource) {
	p := pendingNIC{doc: r, nic: NIC{ID: r.ID, Owner: vm.ID, Name: r.ID.Name(), Kind: KindVM, Via: ViaDefault}}
	if vm.ID != "" {
		p.nic.Name = vm.ID.Name()
	}
	n := &p.nic
	d := b.read(r, &n.Doubts)
	n.NSG = b.association(d, aboutNSG)
	n.IPForwarding = d.flag(aboutForward, false)
	for _, c := range d.objects(aboutConfigs, "IP configuration") {
		p.configs = append(p.configs, c.ipConfig(n))
	}
	b.checkSubnetOf(r, n)
	b.pending = append(b.pending, p)
}

func (c document) ipConfig(n *NIC) ipConfig {
	if id := c.as(aboutSubnet).ref("properties.subnet.id"); id != "" && n.Subnet == "" {
		n.Subnet = id
	}
	cfg := ipConfig{six: strings.EqualFold(c.text("properties.privateIPAddressVersion"), "IPv6")}
	cfg.addr, cfg.hidden = c.address("properties.privateIPAddress")
	cfg.public = c.as(aboutPublic).ref("properties.publicIPAddress.id")
	n.ASGs = append(n.ASGs, c.as(aboutASGs).refs("properties.applicationSecurityGroups")...)
	cfg.pools = c.as(aboutPool).refs("properties.loadBalancerBackendAddressPools")
	cfg.rules = append(c.as(aboutPool).refs("properties.loadBalancerInboundNatRules"), c.as(aboutPool).refs("properties.loadBalancerInboundNatPools")...)
	if len(cfg.pools) > 0 {
		n.Via = ViaBalancer
	}
	return cfg
}

// address is an address that a document asks for; hidden when it does but the
// value is not known.
func (d document) address(path string) (a netip.Addr, hidden bool) {
	d = d.as(aboutAddr)
	before := len(*d.doubts)
	if s := d.text(path); s != "" {
		var err error
		if a, err = parseAddr(s); err != nil {
			d.malformed(aboutAddr, "%v; give an address of the subnet", err)
		}
	}
	return a, len(*d.doubts) > before
}

func (b *builder) checkSubnetOf(r arm.Resource, n *NIC) {
	if n.Subnet == "" {
		return
	}
	if _, ok := b.t.Subnet(n.Subnet); !ok {
		b.dangling(r, aboutSubnet, n.Subnet)
		n.Doubts = append(n.Doubts, Doubt{About: aboutSubnet, Reason: "subnet " + n.Subnet.Name() + " is not in the estate"})
	}
}

// computeNodes are the nodes that clusters and instances with a subnet may have.
func (b *builder) computeNodes() {
	for _, r := range b.e.OfType(typeCompute) {
		var doubts Doubts
		d := b.read(r, &doubts)
		kind := strings.ToLower(d.text("computeType"))
		if kind != "amlcompute" && kind != "computeinstance" {
			continue
		}
		subnet := d.as(aboutSubnet).ref("properties.subnet.id")
		if subnet == "" {
			continue
		}
		count := 1
		if kind == "amlcompute" {
			count = min(max(d.number("properties.scaleSettings.maxNodeCount", 1), 0), mostNodes)
		}
		n := NIC{Owner: r.ID, Kind: KindCompute, Subnet: subnet, Via: ViaExplicit}
		if d.as(aboutNodePub).flag("properties.enableNodePublicIp", true) {
			n.Via = ViaCluster
		}
		n.Doubts = doubts
		b.checkSubnetOf(r, &n)
		b.addNodes(r, n, count)
	}
}

// ServerlessNode is the id of the network interface that stands for the serverless
// computes of a workspace.
func ServerlessNode(workspace arm.ID) arm.ID { return workspace + "/serverless/nodes/0" }

// serverlessNodes are the computes that workspaces start in a subnet for jobs that
// name none: how many there will be is not known, and one stands for them.
func (b *builder) serverlessNodes() {
	for _, r := range b.e.OfType(service.TypeWorkspace) {
		n := NIC{ID: ServerlessNode(r.ID), Owner: r.ID, Name: r.ID.Name() + "/serverless", Kind: KindCompute, Via: ViaCluster}
		d := b.read(r, &n.Doubts)
		n.Subnet = d.as(aboutSubnet).ref("serverlessComputeSettings.serverlessComputeCustomSubnet")
		if n.Subnet == "" {
			continue
		}
		if d.as(aboutNodePub).flag("serverlessComputeSettings.serverlessComputeNoPublicIP", false) {
			n.Via = ViaExplicit
		}
		b.checkSubnetOf(r, &n)
		b.pending = append(b.pending, pendingNIC{nic: n, doc: r, configs: make([]ipConfig, 1), last: true})
	}
}

func (b *builder) addNodes(r arm.Resource, n NIC, count int) {
	for i := range count {
		n.ID = r.ID + arm.ID(fmt.Sprintf("/nodes/%d", i))
		n.Name = fmt.Sprintf("%s-%d", r.ID.Name(), i)
		n.Doubts = slices.Clone(n.Doubts)
		b.pending = append(b.pending, pendingNIC{nic: n, doc: r, configs: make([]ipConfig, 1), last: true})
	}
}
