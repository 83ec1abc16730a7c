package containerservice

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"time"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/durable"
)

// entraServer is the application that the tokens of AKS clusters with Microsoft
// Entra ID are for ("Use kubelogin to authenticate users in AKS").
const entraServer = "6dae42f8-4368-4678-94ff-3960e28e3630"

// authority signs the certificates of one cluster's administrators.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte // the certificate
}

// lifetimes as those of AKS's certificates.
const (
	authorityYears = 30
	adminYears     = 2
)

// authority is the cluster's, which is made when it is first asked for.
func (cs clusters) authority(cluster arm.ID) (authority, error) {
	data, err := durable.ReadOrCreate(cs.file(cluster), newAuthority)
	if err != nil {
		return authority{}, fmt.Errorf("reading the authority of %s: %w", cluster.Name(), err)
	}
	certBlock, rest := pem.Decode(data)
	keyBlock, _ := pem.Decode(rest)
	if certBlock == nil || keyBlock == nil {
		return authority{}, fmt.Errorf("reading the authority of %s: %s holds no certificate and key", cluster.Name(), cs.file(cluster))
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return authority{}, err
	}
	key, err := x509.ParseECPrivateKey(keyBlock.Bytes)
	return authority{cert, key, pem.EncodeToMemory(certBlock)}, err
}

func newAuthority() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "ca"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().AddDate(authorityYears, 0, 0),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	return pair(der, key)
}

// admin is a new certificate and key of an administrator, each in PEM.
func (a authority) admin() (cert, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{Organization: []string{"system:masters"}, CommonName: "masterclient"},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().AddDate(adminYears, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &private.PublicKey, a.key)
	if err != nil {
		return nil, nil, err
	}
	both, err := pair(der, private)
	if err != nil {
		return nil, nil, err
	}
	i := bytes.Index(both, []byte("-----BEGIN EC"))
	return both[:i], both[i:], nil
}

// pair is a certificate and its key in PEM.
func pair(der []byte, key *ecdsa.PrivateKey) ([]byte, error) {
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = errors.Join(
		pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.Encode(&b, &pem.Block{Type: "EC PRIVATE KEY", Bytes: private}),
	)
	return b.Bytes(), err
}

func serial() *big.Int {
	n, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)) // the reader does not fail
	return n
}

// userCredential answers listClusterUserCredential: with Microsoft Entra ID the
// file holds no secret, and each user brings a token of their own.
func (cs clusters) userCredential(ctx context.Context, r arm.Resource, body json.RawMessage) (any, error) {
	if !arm.Bool(r.Properties, "aadProfile.managed", false) {
		return cs.adminCredential(ctx, r, body)
	}
	a, err := cs.authority(r.ID)
	if err != nil {
		return nil, err
	}
	user := arm.Object{"exec": arm.Object{
		"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "kubelogin", "provideClusterInfo": false,
		"args": []string{"get-token", "--environment", "AzurePublicCloud", "--server-id", entraServer, "--tenant-id", arm.String(r.Properties, "aadProfile.tenantID"), "--login", "devicecode"},
	}}
	return credentials("clusterUser", kubeconfig(r, a, "clusterUser_"+r.ID.ResourceGroup()+"_"+r.Name, user))
}

// adminCredential answers listClusterAdminCredential with a new certificate.
func (cs clusters) adminCredential(_ context.Context, r arm.Resource, _ json.RawMessage) (any, error) {
	if arm.Bool(r.Properties, "disableLocalAccounts", false) {
		return nil, cloud.Errorf(http.StatusBadRequest, "BadRequest", "Getting static credential is not allowed because this cluster is set to disable local accounts.")
	}
	a, err := cs.authority(r.ID)
	if err != nil {
		return nil, err
	}
	cert, key, err := a.admin()
	if err != nil {
		return nil, fmt.Errorf("making the certificate of an administrator of %s: %w", r.Name, err)
	}
	user := arm.Object{"client-certificate-data": base64.StdEncoding.EncodeToString(cert), "client-key-data": base64.StdEncoding.EncodeToString(key)}
	return credentials("clusterAdmin", kubeconfig(r, a, "clusterAdmin_"+r.ID.ResourceGroup()+"_"+r.Name, user))
}

// kubeconfig is a file of kubectl's: YAML, of which JSON is a part.
func kubeconfig(r arm.Resource, a authority, name string, user arm.Object) arm.Object {
	host := arm.String(r.Properties, "privateFQDN")
	if host == "" {
		host = arm.String(r.Properties, "fqdn")
	}
	return arm.Object{
		"apiVersion": "v1", "kind": "Config", "preferences": arm.Object{}, "current-context": r.Name,
		"clusters": []arm.Object{{"name": r.Name, "cluster": arm.Object{
			"server": "https://" + host + ":443", "certificate-authority-data": base64.StdEncoding.EncodeToString(a.pem),
		}}},
		"contexts": []arm.Object{{"name": r.Name, "context": arm.Object{"cluster": r.Name, "user": name}}},
		"users":    []arm.Object{{"name": name, "user": user}},
	}
}

func credentials(name string, config arm.Object) (any, error) {
	data, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	return arm.Object{"kubeconfigs": []arm.Object{{"name": name, "value": base64.StdEncoding.EncodeToString(data)}}}, nil
}
