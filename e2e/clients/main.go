//go:build e2e

// Command clients uses the cloud's services by their official Go clients, from the
// machine that it runs in, with that machine's managed identity. Each step prints
// a line; the first that fails ends it.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/cloister-ml/cloister/internal/acr"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

// run uses a service, or with "keep" or "kept" leaves something there or finds it.
func run(ctx context.Context, service, host string, verb []string) error {
	credential, err := azidentity.NewManagedIdentityCredential(nil)
	if err != nil {
		return err
	}
	if len(verb) > 0 {
		return keep(ctx, credential, service, host, verb[0] == "keep")
	}
	switch service {
	case "blob":
		return useBlob(ctx, credential, host)
	case "vault":
		return useVault(ctx, credential, host)
	case "registry":
		return useRegistry(ctx, credential, host)
	}
	return errors.New("no such service: " + service)
}

func useBlob(ctx context.Context, credential *azidentity.ManagedIdentityCredential, host string) error {
	client, err := azblob.NewClient("https://"+host, credential, nil)
	if err != nil {
		return err
	}
	const container = "clients"
	if _, err := client.CreateContainer(ctx, container, nil); err != nil {
		return fmt.Errorf("creating a container: %w", err)
	}
	content := bytes.Repeat([]byte("0123456789"), 1<<19) // 5 MiB, in blocks of 1 MiB
	if _, err := client.UploadStream(ctx, container, "a/b.bin", bytes.NewReader(content), &azblob.UploadStreamOptions{BlockSize: 1 << 20}); err != nil {
		return fmt.Errorf("uploading: %w", err)
	}
	got, err := client.DownloadStream(ctx, container, "a/b.bin", &azblob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: 5, Count: 10}})
	if err != nil {
		return fmt.Errorf("downloading a range: %w", err)
	}
	part, err := io.ReadAll(got.Body)
	if err != nil || string(part) != "5678901234" {
		return fmt.Errorf("the range is %q, error %w", part, err)
	}
	names := 0
	for pager := client.NewListBlobsFlatPager(container, nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("listing: %w", err)
		}
		names += len(page.Segment.BlobItems)
	}
	if names != 1 {
		return fmt.Errorf("%d blobs are listed, not 1", names)
	}
	if _, err := client.DeleteContainer(ctx, container, nil); err != nil {
		return fmt.Errorf("deleting the container: %w", err)
	}
	fmt.Println("blob: blocks, a range and a list")
	return nil
}

func useVault(ctx context.Context, credential *azidentity.ManagedIdentityCredential, host string) error {
	client, err := azsecrets.NewClient("https://"+host, credential, nil)
	if err != nil {
		return err
	}
	value := "s3cret"
	if _, err := client.SetSecret(ctx, "password", azsecrets.SetSecretParameters{Value: &value}, nil); err != nil {
		return fmt.Errorf("setting: %w", err)
	}
	got, err := client.GetSecret(ctx, "password", "", nil)
	if err != nil {
		return fmt.Errorf("getting: %w", err)
	}
	if *got.Value != value {
		return fmt.Errorf("the secret is %q", *got.Value)
	}
	if _, err := client.DeleteSecret(ctx, "password", nil); err != nil {
		return fmt.Errorf("deleting: %w", err)
	}
	fmt.Println("vault: set, get, delete")
	return nil
}

func useRegistry(ctx context.Context, credential *azidentity.ManagedIdentityCredential, host string) error {
	img, err := random.Image(1<<16, 3)
	if err != nil {
		return err
	}
	ref, auth, err := reference(credential, host+"/clients/random:1")
	if err != nil {
		return err
	}
	if err := remote.Write(ref, img, auth, remote.WithContext(ctx)); err != nil {
		return fmt.Errorf("pushing: %w", err)
	}
	if err := pulls(ctx, ref, auth, img); err != nil {
		return err
	}
	fmt.Println("registry: push and pull")
	return nil
}

// reference is an image's, and how to sign in where it is.
func reference(credential *azidentity.ManagedIdentityCredential, image string) (name.Reference, remote.Option, error) {
	token := func(ctx context.Context) (string, error) {
		t, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{acr.Audience + "/.default"}})
		return t.Token, err
	}
	ref, err := name.ParseReference(image)
	return ref, remote.WithAuthFromKeychain(acr.Keychain(http.DefaultClient, token)), err
}

// pulls reads an image whole, which must be img.
func pulls(ctx context.Context, ref name.Reference, auth remote.Option, img v1.Image) error {
	back, err := remote.Image(ref, auth, remote.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("pulling: %w", err)
	}
	want, err := img.Digest()
	if err != nil {
		return err
	}
	if got, err := back.Digest(); err != nil || got != want {
		return fmt.Errorf("pulled %s, pushed %s, error %w", got, want, err)
	}
	layers, err := back.Layers()
	if err != nil {
		return err
	}
	for _, l := range layers {
		r, err := l.Uncompressed()
		if err != nil {
			return fmt.Errorf("pulling a layer: %w", err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			return fmt.Errorf("pulling a layer: %w", err)
		}
	}
	return nil
}
