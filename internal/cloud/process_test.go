package cloud_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/cloud/client"
	"github.com/cloister-ml/cloister/internal/cloud/cloudtest"
)

// process is a cloud with its loopback address, outside a test.
type process struct {
	dir   string
	store string // address of a PostgreSQL database, or ""
	cloud *cloud.Cloud
}

func (p *process) open() (*client.Client, error) {
	ctx := context.Background()
	var err error
	p.cloud, err = cloud.Open(ctx, cloud.Options{Dir: p.dir, Store: p.store, Tenant: cloudtest.Tenant, Subscription: cloudtest.Subscription, Providers: slow})
	if err != nil {
		return nil, err
	}
	p.cloud.Start()
	who, err := p.cloud.RenewOwner(ctx)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		if err := p.cloud.ServeLoopback(l); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	return client.New(client.Config{
		Endpoint: "https://" + l.Addr().String(), Tenant: who.Tenant, ClientID: who.ClientID, ClientSecret: who.ClientSecret,
		HTTP: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: p.cloud.CA().Pool(), MinVersion: tls.VersionTLS12}}},
	}), nil
}

func (p *process) close() error {
	if p.cloud == nil {
		return nil
	}
	return p.cloud.Close()
}
