package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/bastion"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/sshd"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/verdict"
)

// BastionRequest asks for a way to a virtual machine through Azure Bastion.
type BastionRequest struct {
	Machine string `json:"machine"` // name or id
	Port    uint16 `json:"port"`
}

// LoginRequest asks for what an SSH client needs.
type LoginRequest struct {
	BastionRequest
	Account string `json:"account,omitempty"` // "" for the one that the caller's role gives
	// PublicKey is to be certified, an authorized_keys line; "" where the caller has
	// a key that the machine knows.
	PublicKey string `json:"publicKey,omitempty"`
}

// LoginAnswer is what an SSH client needs.
type LoginAnswer struct {
	Bastion     string `json:"bastion"`
	Account     string `json:"account"`
	HostKey     string `json:"hostKey"`
	Certificate string `json:"certificate,omitempty"`
}

const bastionProtocol = "cloister-bastion"

// managementAudience is what the caller's token is for.
const managementAudience = "https://management.azure.com"

// crossing is a way through Azure Bastion that the caller may go.
type crossing struct {
	caller    cloud.Caller
	vm        arm.Resource
	bastion   network.NIC
	namespace string
	to        netip.AddrPort
}

// cross finds the way and asks whether the caller may go it. Azure asks for Reader
// on the virtual machine, on its network interface, on the Bastion and, where that
// is in a peered network, on the machine's network; and native clients need the
// Standard SKU with enableTunneling. Sources: Microsoft Learn, "Connect to a VM
// using Azure Bastion and a Linux native client", "About Bastion configuration
// settings".
func (d *Daemon) cross(r *http.Request, asked BastionRequest) (crossing, error) {
	x := crossing{}
	var err error
	if x.caller, err = d.cloud.Authenticate(r, managementAudience); err != nil {
		return x, err
	}
	if x.vm, err = d.findMachine(asked.Machine); err != nil {
		return x, err
	}
	nics := arm.Objects(x.vm.Properties, "networkProfile.networkInterfaces")
	if len(nics) == 0 {
		return x, fmt.Errorf("the virtual machine %s has no network interface", x.vm.Name)
	}
	t := d.view().topology
	nic, ok := t.NIC(arm.Ref(nics[0], "id"))
	if !ok || len(nic.Addrs) == 0 {
		return x, fmt.Errorf("the address of %s is not known", x.vm.Name)
	}
	vnet, _ := t.VNetOf(nic.Subnet)
	if x.bastion, ok = t.BastionFor(vnet.ID); !ok {
		return x, fmt.Errorf("neither the virtual network %s nor one that is peered with it has an Azure Bastion (azurerm_bastion_host)", vnet.Name)
	}
	if err := d.offersTunnels(x.bastion.ID); err != nil {
		return x, err
	}
	if x.namespace, ok = d.fabric.Namespace(x.bastion.ID); !ok {
		return x, fmt.Errorf("the Azure Bastion %s is not built", x.bastion.Name)
	}
	needs := map[arm.ID]string{
		x.vm.ID: "Microsoft.Compute/virtualMachines/read", nic.ID: "Microsoft.Network/networkInterfaces/read",
		x.bastion.ID: "Microsoft.Network/bastionHosts/read",
	}
	if home, _ := t.VNetOf(x.bastion.Subnet); !home.ID.Equal(vnet.ID) {
		needs[vnet.ID] = "Microsoft.Network/virtualNetworks/read"
	}
	for id, action := range needs {
		if v := d.cloud.Authorize(x.caller, action, false, id); v.Value != verdict.Yes {
			return x, forbidden(x.caller, action, id)
		}
	}
	x.to = netip.AddrPortFrom(nic.Addrs[max(0, slices.IndexFunc(nic.Addrs, netip.Addr.Is4))], asked.Port)
	return x, nil
}

func forbidden(c cloud.Caller, action string, id arm.ID) error {
	return cloud.Errorf(http.StatusForbidden, "AuthorizationFailed",
		"the principal %s (object id %s) may not do %s on %s: give it a role that has this action", c.Name, c.ObjectID, action, id)
}

// findMachine finds a virtual machine by name or id.
func (d *Daemon) findMachine(name string) (arm.Resource, error) {
	var found []arm.Resource
	var known []string
	for _, r := range d.cloud.Estate().OfType("Microsoft.Compute/virtualMachines") {
		known = append(known, r.Name)
		if strings.EqualFold(r.Name, name) || r.ID.Equal(arm.ID(name)) {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 0:
		return arm.Resource{}, fmt.Errorf("there is no virtual machine %q; there are %s", name, strings.Join(known, ", "))
	case 1:
		return found[0], nil
	}
	return arm.Resource{}, fmt.Errorf("%d virtual machines are called %s: name one by its id", len(found), name)
}

func (d *Daemon) offersTunnels(id arm.ID) error {
	b, ok := d.cloud.Get(id)
	if !ok {
		return fmt.Errorf("the Azure Bastion %s does not exist", id.Name())
	}
	sku := arm.String(b.SKU, "name")
	if sku == "Basic" || sku == "Developer" || !arm.Bool(b.Properties, "enableTunneling", false) {
		return fmt.Errorf("the Azure Bastion %s takes no native clients: they need sku = \"Standard\" and tunneling_enabled = true (azurerm_bastion_host)", b.Name)
	}
	return nil
}

// Data actions that let a caller log in with a certificate. Source: Microsoft
// Learn, "Sign in to a Linux virtual machine in Azure by using Microsoft Entra ID
// and OpenSSH".
const (
	actionLogin      = "Microsoft.Compute/virtualMachines/login/action"
	actionLoginAdmin = "Microsoft.Compute/virtualMachines/loginAsAdmin/action"
)

// login answers what an SSH client needs. The administrator's role opens the
// machine's administrator's account, and root: nothing in a sandbox may gain
// privileges as sudo does. The user's role opens an account of the caller's own.
func (d *Daemon) login(x crossing, asked LoginRequest) (LoginAnswer, error) {
	out := LoginAnswer{Bastion: x.bastion.Name, Account: asked.Account}
	host, err := d.hostKey(x.vm.ID)
	if err != nil {
		return out, err
	}
	if out.HostKey, err = bastion.PublicLine(host); err != nil {
		return out, err
	}
	admin := adminOf(x.vm)
	if asked.PublicKey == "" {
		if out.Account == "" {
			out.Account = admin
		}
		return out, nil
	}
	own := accountFor(x.caller)
	allowed := []string{}
	if d.cloud.Authorize(x.caller, actionLoginAdmin, true, x.vm.ID).Value == verdict.Yes {
		allowed = append(allowed, admin, own, "root")
	} else if d.cloud.Authorize(x.caller, actionLogin, true, x.vm.ID).Value == verdict.Yes {
		allowed = append(allowed, own)
	}
	if len(allowed) == 0 {
		return out, fmt.Errorf("%w, as Virtual Machine Administrator Login and Virtual Machine User Login have; or log in with the machine's own key (--identity)", forbidden(x.caller, actionLogin, x.vm.ID))
	}
	if out.Account == "" {
		out.Account = allowed[0]
	}
	permitted := false
	for _, a := range allowed {
		permitted = permitted || a == out.Account && sshd.ValidAccount(a)
	}
	if !permitted {
		return out, fmt.Errorf("the role of %s lets it log in as %s, not as %q", x.caller.Name, strings.Join(allowed, ", "), out.Account)
	}
	authority, err := d.authority()
	if err != nil {
		return out, err
	}
	label := fmt.Sprintf("%s (%s)", x.caller.Name, x.caller.ObjectID)
	out.Certificate, err = bastion.Certify(authority, asked.PublicKey, sshd.Principal(out.Account, x.vm.ID.Key()), label, time.Now())
	return out, err
}

// accountFor is the account of a caller who is not the administrator.
func accountFor(c cloud.Caller) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, c.Name)
	name = strings.TrimLeft(name, "-0123456789")
	if name == "" || name == "root" {
		name = "u-" + strings.ReplaceAll(c.ObjectID, "-", "")
	}
	return name[:min(len(name), 32)]
}

func (d *Daemon) postLogin(w http.ResponseWriter, r *http.Request) {
	var asked LoginRequest
	if !readJSON(w, r, &asked) {
		return
	}
	x, err := d.cross(r, asked.BastionRequest)
	if err != nil {
		refuseBastion(w, err)
		return
	}
	out, err := d.login(x, asked)
	if err != nil {
		refuseBastion(w, err)
		return
	}
	cloud.WriteJSON(w, http.StatusOK, out)
}

func refuseBastion(w http.ResponseWriter, err error) {
	status := http.StatusUnprocessableEntity
	var refused *cloud.Error
	if errors.As(err, &refused) {
		status = refused.Status
	}
	http.Error(w, err.Error(), status)
}

// bastionDial is how long a machine may take to answer.
const bastionDial = 10 * time.Second

// postConnect connects the caller to a port of a machine: from the Bastion's own
// namespace and address, so that the packets pass what stands between them. The
// request's connection then carries the bytes (RFC 9110, section 7.8).
func (d *Daemon) postConnect(w http.ResponseWriter, r *http.Request) {
	var asked BastionRequest
	if !readJSON(w, r, &asked) {
		return
	}
	x, err := d.cross(r, asked)
	if err != nil {
		refuseBastion(w, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), bastionDial)
	defer cancel()
	there, err := d.fabric.Dial(ctx, x.namespace, "tcp", x.to.String())
	if err != nil {
		http.Error(w, fmt.Sprintf("Azure Bastion %s (%s) does not reach %s at %s: %s", x.bastion.Name, x.bastion.Addrs[0], x.vm.Name, x.to, dialReason(err)), http.StatusBadGateway)
		return
	}
	defer there.Close()
	here, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer here.Close()
	if _, err := io.WriteString(here, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "+bastionProtocol+"\r\n\r\n"); err != nil {
		return
	}
	stop := context.AfterFunc(r.Context(), func() { here.Close() })
	defer stop()
	join(here, buffered, there)
}

func dialReason(err error) string {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "no answer; ask `cloister check` which rule lets port 22 from AzureBastionSubnet pass"
	}
	return err.Error()
}
