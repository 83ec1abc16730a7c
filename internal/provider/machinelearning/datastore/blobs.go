package datastore

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

// Audience is the resource that storage tokens are for.
const Audience = "https://storage.azure.com"

// Token gets an access token for a resource.
type Token func(ctx context.Context, resource string) (string, error)

// GetToken makes a Token a credential of the Azure SDK.
func (t Token) GetToken(ctx context.Context, _ policy.TokenRequestOptions) (azcore.AccessToken, error) {
	s, err := t(ctx, Audience)
	// The token service behind t keeps tokens itself, so asking again is cheap.
	return azcore.AccessToken{Token: s, ExpiresOn: time.Now().Add(5 * time.Minute)}, err
}

// Blobs reads and writes blobs with one identity.
type Blobs struct {
	token  Token
	client *http.Client
}

// NewBlobs makes calls with client, as the identity whose tokens token gets.
func NewBlobs(token Token, client *http.Client) *Blobs {
	return &Blobs{token: token, client: client}
}

func (b *Blobs) container(at Blob) (*container.Client, error) {
	c, err := container.NewClient(at.ContainerURL(), b.token, &container.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: b.client,
		Retry:     policy.RetryOptions{MaxRetries: 3, RetryDelay: 200 * time.Millisecond, MaxRetryDelay: 2 * time.Second},
		Telemetry: policy.TelemetryOptions{Disabled: true},
	}})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at.ContainerURL(), err)
	}
	return c, nil
}

// EnsureContainer makes the container unless it exists.
func (b *Blobs) EnsureContainer(ctx context.Context, at Blob) error {
	c, err := b.container(at)
	if err != nil {
		return err
	}
	_, err = c.Create(ctx, nil)
	if err == nil || bloberror.HasCode(err, bloberror.ContainerAlreadyExists) {
		return nil
	}
	return explain("making the container", at, err)
}

// Open reads a blob. The error is fs.ErrNotExist when there is none.
func (b *Blobs) Open(ctx context.Context, at Blob) (io.ReadCloser, int64, error) {
	c, err := b.container(at)
	if err != nil {
		return nil, 0, err
	}
	resp, err := c.NewBlobClient(at.Path).DownloadStream(ctx, nil)
	if err != nil {
		return nil, 0, explain("reading", at, err)
	}
	var size int64
	if resp.ContentLength != nil {
		size = *resp.ContentLength
	}
	return resp.NewRetryReader(ctx, &blob.RetryReaderOptions{MaxRetries: 3}), size, nil
}

// Exists reports whether there is a blob.
func (b *Blobs) Exists(ctx context.Context, at Blob) (bool, error) {
	c, err := b.container(at)
	if err != nil {
		return false, err
	}
	_, err = c.NewBlobClient(at.Path).GetProperties(ctx, nil)
	if err == nil {
		return true, nil
	}
	if err = explain("looking for", at, err); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return false, err
}

// Put writes a blob.
func (b *Blobs) Put(ctx context.Context, at Blob, body io.Reader) error {
	c, err := b.container(at)
	if err != nil {
		return err
	}
	_, err = c.NewBlockBlobClient(at.Path).UploadStream(ctx, body, &blockblob.UploadStreamOptions{BlockSize: 4 << 20, Concurrency: 2})
	return explain("writing", at, err)
}

// Delete removes a blob. The error is fs.ErrNotExist when there is none.
func (b *Blobs) Delete(ctx context.Context, at Blob) error {
	c, err := b.container(at)
	if err != nil {
		return err
	}
	_, err = c.NewBlobClient(at.Path).Delete(ctx, nil)
	return explain("deleting", at, err)
}

// Entry is a blob found by List.
type Entry struct {
	Path string // in the container
	Size int64
}

// List gives every blob whose path begins with at's, by path.
func (b *Blobs) List(ctx context.Context, at Blob) ([]Entry, error) {
	c, err := b.container(at)
	if err != nil {
		return nil, err
	}
	var out []Entry
	pages := c.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: &at.Path})
	for pages.More() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, explain("listing", at, err)
		}
		for _, item := range page.Segment.BlobItems {
			if item.Name == nil {
				continue
			}
			e := Entry{Path: *item.Name}
			if item.Properties != nil && item.Properties.ContentLength != nil {
				e.Size = *item.Properties.ContentLength
			}
			out = append(out, e)
		}
	}
	return out, nil
}

// explain turns an error of the SDK, which prints a whole HTTP exchange, into a
// sentence: what was done, where, the service's code and words.
func explain(what string, at Blob, err error) error {
	if err == nil {
		return nil
	}
	var resp *azcore.ResponseError
	if !errors.As(err, &resp) {
		return fmt.Errorf("%s %s: %w", what, at.URL(), err)
	}
	if resp.StatusCode == http.StatusNotFound && resp.ErrorCode != string(bloberror.ContainerNotFound) {
		return fmt.Errorf("%s %s: %w", what, at.URL(), fs.ErrNotExist)
	}
	return &Refused{What: what, URL: at.URL(), Status: resp.StatusCode, Code: resp.ErrorCode, Message: message(resp)}
}

// Refused is the blob service's refusal.
type Refused struct {
	What, URL     string
	Status        int
	Code, Message string
}

func (e *Refused) Error() string {
	s := fmt.Sprintf("%s %s: %d %s", e.What, e.URL, e.Status, e.Code)
	if e.Message != "" {
		s += ": " + e.Message
	}
	return s
}

// NoContainer reports whether a call failed because its container does not exist.
func NoContainer(err error) bool {
	var r *Refused
	return errors.As(err, &r) && r.Code == string(bloberror.ContainerNotFound)
}

// message is the text of the <Message> element of the service's answer, one line.
func message(e *azcore.ResponseError) string {
	if e.RawResponse == nil || e.RawResponse.Body == nil {
		return ""
	}
	body, err := io.ReadAll(io.LimitReader(e.RawResponse.Body, 64<<10))
	if err != nil {
		return ""
	}
	_, rest, ok := strings.Cut(string(body), "<Message>")
	if !ok {
		return ""
	}
	text, _, _ := strings.Cut(rest, "</Message>")
	line, _, _ := strings.Cut(html.UnescapeString(text), "\n")
	return strings.TrimSpace(line)
}
