package flowlog

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/cloister-ml/cloister/arm"
)

// A blob begins and ends with a block of its own, and has one for each record.
const (
	opening = `{"records":[`
	closing = `]}`
)

// MaxHour is how large an hour's blob may become, in bytes. What comes after is
// left out.
const MaxHour = 64 << 20

// blobs reaches the container of one log.
type blobs struct{ *container.Client }

// reach opens the container of a log. The calls bear no credential: they are made
// on behalf of the flow log, which the blob service knows.
func reach(l Log, client func(as arm.ID) *http.Client) (blobs, error) {
	url := "https://" + strings.ToLower(l.Storage.Name()) + ".blob.core.windows.net/" + l.Container()
	c, err := container.NewClientWithNoCredential(url, &container.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: client(l.ID),
		Retry:     policy.RetryOptions{MaxRetries: -1}, // the next minute comes soon
		Telemetry: policy.TelemetryOptions{Disabled: true},
	}})
	if err != nil {
		return blobs{}, fmt.Errorf("%s: %w", url, err)
	}
	return blobs{c}, nil
}

// ensure makes the container unless it exists.
func (b blobs) ensure(ctx context.Context) error {
	_, err := b.Create(ctx, nil)
	if err == nil || bloberror.HasCode(err, bloberror.ContainerAlreadyExists) {
		return nil
	}
	return fmt.Errorf("making the container %s: %w", b.URL(), brief(err))
}

// add adds a record to a blob. full says that the blob has become too large.
func (b blobs) add(ctx context.Context, name string, record []byte) (full bool, err error) {
	to := b.NewBlockBlobClient(name)
	names, size, err := blocks(ctx, to)
	if err != nil {
		return false, fmt.Errorf("reading the blocks of %s: %w", to.URL(), brief(err))
	}
	if size+len(record) > MaxHour {
		return true, nil
	}
	stage := func(body []byte) string {
		id := make([]byte, 16)
		_, _ = rand.Read(id) // never fails
		text := base64.StdEncoding.EncodeToString(id)
		if err == nil {
			_, err = to.StageBlock(ctx, text, streamed{bytes.NewReader(body)}, nil)
		}
		return text
	}
	if len(names) == 0 {
		names = []string{stage([]byte(opening)), stage(record), stage([]byte(closing))}
	} else {
		last := len(names) - 1
		names = append(names[:last:last], stage(append([]byte(","), record...)), names[last])
	}
	if err != nil {
		return false, fmt.Errorf("writing a block of %s: %w", to.URL(), brief(err))
	}
	json := "application/json"
	_, err = to.CommitBlockList(ctx, names, &blockblob.CommitBlockListOptions{HTTPHeaders: &blob.HTTPHeaders{BlobContentType: &json}})
	if err != nil {
		return false, fmt.Errorf("writing %s: %w", to.URL(), brief(err))
	}
	return false, nil
}

// blocks are those of a blob: none where it is not there, or not one of ours.
func blocks(ctx context.Context, of *blockblob.Client) (names []string, size int, err error) {
	list, err := of.GetBlockList(ctx, blockblob.BlockListTypeCommitted, nil)
	if bloberror.HasCode(err, bloberror.BlobNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	for _, block := range list.CommittedBlocks {
		if block.Name == nil || block.Size == nil {
			return nil, 0, nil
		}
		names, size = append(names, *block.Name), size+int(*block.Size)
	}
	if n := len(names); n < 3 || *list.CommittedBlocks[0].Size != int64(len(opening)) || *list.CommittedBlocks[n-1].Size != int64(len(closing)) {
		return nil, 0, nil
	}
	return names, size, nil
}

// expire deletes the log's blobs of hours that ended before then.
func (b blobs) expire(ctx context.Context, l Log, then time.Time) error {
	folder := l.folder()
	pages := b.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: &folder})
	for pages.More() {
		page, err := pages.NextPage(ctx)
		if bloberror.HasCode(err, bloberror.ContainerNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("listing %s: %w", b.URL(), brief(err))
		}
		for _, item := range page.Segment.BlobItems {
			if item.Name == nil {
				continue
			}
			if hour, ok := l.hourOf(*item.Name); !ok || hour.Add(time.Hour).After(then) {
				continue
			}
			if _, err := b.NewBlobClient(*item.Name).Delete(ctx, nil); err != nil && !bloberror.HasCode(err, bloberror.BlobNotFound) {
				return fmt.Errorf("deleting %s: %w", *item.Name, brief(err))
			}
		}
	}
	return nil
}

// brief is the service's own word of what went wrong, in one line.
func brief(err error) error {
	var answer *azcore.ResponseError
	if !errors.As(err, &answer) || answer.RawResponse == nil {
		return err
	}
	body, readErr := runtime.Payload(answer.RawResponse)
	if text := message(body); readErr == nil && text != "" {
		return fmt.Errorf("%s: %s", answer.ErrorCode, text)
	}
	return fmt.Errorf("%s (status %d)", answer.ErrorCode, answer.StatusCode)
}

// message is what is in the Message element of an error of the blob service.
func message(body []byte) string {
	_, rest, ok := strings.Cut(string(body), "<Message>")
	text, _, closed := strings.Cut(rest, "</Message>")
	if !ok || !closed {
		return ""
	}
	line, _, _ := strings.Cut(html.UnescapeString(text), "\n")
	return strings.TrimSpace(line)
}

// streamed is a body that needs no closing.
type streamed struct{ *bytes.Reader }

func (streamed) Close() error { return nil }
