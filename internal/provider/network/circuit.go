package network

import (
	"crypto/sha256"
	"encoding/base64"
	"net/netip"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/network"
)

const (
	typeCircuit       = "Microsoft.Network/expressRouteCircuits"
	typeCircuitPeer   = "Microsoft.Network/expressRouteCircuits/peerings"
	typeAuthorization = "Microsoft.Network/expressRouteCircuits/authorizations"
)

// circuitTypes are ExpressRoute circuits. Their private peering is run where the
// project declares what is on the premises; Microsoft peering is checked and kept.
func circuitTypes() []cloud.Type {
	return []cloud.Type{
		{Name: typeCircuit, Prepare: located, Present: presentCircuit, CanDelete: unused("ExpressRouteCircuitInUse")},
		{Name: typeCircuitPeer, Prepare: prepareCircuitPeering, Present: presentCircuitPeering, Runs: func(r arm.Resource) bool {
			return strings.EqualFold(r.Name, "AzurePrivatePeering")
		}},
		{Name: typeAuthorization, Present: presentAuthorization},
	}
}

// Premises makes the provider of what the project declares beyond Azure.
func Premises(fabric Fabric) cloud.Provider {
	t := cloud.Type{Name: network.TypePremises, Prepare: preparePremises, Reconcile: synced(fabric), Remove: synced(fabric), Unordered: true}
	return cloud.Provider{Namespace: "Cloister.Premises", Types: []cloud.Type{t}}
}

func preparePremises(_ cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	list, err := prefixes(r.Properties, "addressPrefix", "addressPrefixes")
	if err != nil {
		return r, err
	}
	if len(list) == 0 || arm.String(r.Properties, "circuit") == "" && arm.String(r.Properties, "localGateway") == "" {
		return r, refuse("InvalidRequestFormat", "%s must have addressPrefixes, and the circuit or the localGateway that leads there.", r.ID)
	}
	return r, nil
}

// presentCircuit shows what the service provider has done: it has provisioned a
// circuit behind which the project declares something.
func presentCircuit(view cloud.View, r arm.Resource) arm.Resource {
	state := "NotProvisioned"
	for _, p := range view.Estate().OfType(network.TypePremises) {
		if c := arm.String(p.Properties, "circuit"); r.ID.Equal(arm.ID(c)) || strings.EqualFold(c, r.Name) {
			state = "Provisioned"
		}
	}
	fill(r.Properties, "serviceProviderProvisioningState", state)
	fill(r.Properties, "circuitProvisioningState", "Enabled")
	fill(r.Properties, "serviceKey", arm.StableGUID(r.ID, "serviceKey"))
	fill(r.Properties, "allowClassicOperations", false)
	fill(r.Properties, "gatewayManagerEtag", "")
	return r
}

// reservedASN are numbers that a customer cannot have. Source: Microsoft Learn,
// "ExpressRoute routing requirements", "Autonomous System numbers (ASN)".
func reservedASN(n float64) bool { return n == network.EdgeASN || n >= 65515 && n <= 65520 }

// prepareCircuitPeering asks for what BGP needs: the customer's AS number and two
// subnets for the links. Source: Microsoft Learn, "Create and modify peering for an
// ExpressRoute circuit".
func prepareCircuitPeering(_ cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if v, ok := arm.Lookup(r.Properties, "peerASN"); ok {
		if n, isNumber := v.(float64); !isNumber || n < 1 || n > 4294967295 || reservedASN(n) {
			return r, refuse("InvalidPeerASN", "Peer ASN %v of %s is invalid: it must be from 1 to 4294967295 and none that Azure reserves (12076, 65515 to 65520).", v, r.ID)
		}
	}
	for _, field := range []string{"primaryPeerAddressPrefix", "secondaryPeerAddressPrefix"} {
		text := arm.String(r.Properties, field)
		if text == "" {
			continue
		}
		if p, err := netip.ParsePrefix(text); err != nil || !p.Addr().Is4() || p.Bits() != 30 || p != p.Masked() {
			return r, refuse("InvalidPeerAddressPrefix", "%s of %s is %q and must be an IPv4 subnet of the size /30.", field, r.ID, text)
		}
	}
	return r, nil
}

func presentCircuitPeering(_ cloud.View, r arm.Resource) arm.Resource {
	fill(r.Properties, "peeringType", r.Name)
	fill(r.Properties, "state", "Enabled")
	fill(r.Properties, "azureASN", float64(network.EdgeASN))
	fill(r.Properties, "primaryAzurePort", "")
	fill(r.Properties, "secondaryAzurePort", "")
	fill(r.Properties, "lastModifiedBy", "Customer")
	fill(r.Properties, "connections", []any{})
	remove(r.Properties, "sharedKey")
	return r
}

// presentAuthorization shows the key that a gateway of another subscription is
// connected with, which Azure makes.
func presentAuthorization(_ cloud.View, r arm.Resource) arm.Resource {
	sum := sha256.Sum256([]byte("circuit authorization " + r.ID.Key()))
	fill(r.Properties, "authorizationKey", base64.StdEncoding.EncodeToString(sum[:]))
	fill(r.Properties, "authorizationUseStatus", "Available")
	return r
}
