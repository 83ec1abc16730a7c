//go:build e2e

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// keptText is the value of the secret, and what the blob holds.
const keptText = "what is kept"

// keep writes something that is always the same into a service, or reads it back.
func keep(ctx context.Context, credential *azidentity.ManagedIdentityCredential, service, host string, write bool) error {
	switch service {
	case "blob":
		return keepBlob(ctx, credential, host, write)
	case "vault":
		return keepSecret(ctx, credential, host, write)
	case "registry":
		return keepImage(ctx, credential, host, write)
	}
	return errors.New("no such service: " + service)
}

func keepBlob(ctx context.Context, credential *azidentity.ManagedIdentityCredential, host string, write bool) error {
	client, err := azblob.NewClient("https://"+host, credential, nil)
	if err != nil {
		return err
	}
	if write {
		if _, err := client.CreateContainer(ctx, "kept", nil); err != nil {
			return fmt.Errorf("creating a container: %w", err)
		}
		_, err := client.UploadBuffer(ctx, "kept", "text", []byte(keptText), nil)
		return err
	}
	got, err := client.DownloadStream(ctx, "kept", "text", nil)
	if err != nil {
		return fmt.Errorf("downloading: %w", err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil || string(text) != keptText {
		return fmt.Errorf("the blob is %q, error %w", text, err)
	}
	fmt.Println("blob: kept")
	return nil
}

func keepSecret(ctx context.Context, credential *azidentity.ManagedIdentityCredential, host string, write bool) error {
	client, err := azsecrets.NewClient("https://"+host, credential, nil)
	if err != nil {
		return err
	}
	value := keptText
	if write {
		_, err := client.SetSecret(ctx, "kept", azsecrets.SetSecretParameters{Value: &value}, nil)
		return err
	}
	got, err := client.GetSecret(ctx, "kept", "", nil)
	if err != nil {
		return fmt.Errorf("getting: %w", err)
	}
	if *got.Value != value {
		return fmt.Errorf("the secret is %q", *got.Value)
	}
	fmt.Println("vault: kept")
	return nil
}

func keepImage(ctx context.Context, credential *azidentity.ManagedIdentityCredential, host string, write bool) error {
	img, err := random.Image(1<<16, 3, random.WithSource(rand.NewSource(1)))
	if err != nil {
		return err
	}
	ref, auth, err := reference(credential, host+"/clients/kept:1")
	if err != nil {
		return err
	}
	if write {
		return remote.Write(ref, img, auth, remote.WithContext(ctx))
	}
	if err := pulls(ctx, ref, auth, img); err != nil {
		return err
	}
	fmt.Println("registry: kept")
	return nil
}
