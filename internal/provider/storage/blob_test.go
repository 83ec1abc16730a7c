package storage_test

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

func body(text string) io.ReadSeekCloser { return streaming.NopCloser(strings.NewReader(text)) }

func random(n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(rand.Uint32())
	}
	return out
}

func TestUploadAndDownload(t *testing.T) {
	w := newWorld(t, nil)
	c := w.container()
	for _, size := range []int{0, 1, 20_000, 9 << 20} {
		name, want := fmt.Sprintf("dir/%d.bin", size), random(size)
		_, err := c.UploadBuffer(ctx, "data", name, want, &azblob.UploadBufferOptions{BlockSize: 1 << 20})
		w.must(err)
		got := make([]byte, size)
		if _, err := c.DownloadBuffer(ctx, "data", name, got, nil); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: equal %v, %v", size, bytes.Equal(got, want), err)
		}
		_, err = c.UploadStream(ctx, "data", name, bytes.NewReader(want), &azblob.UploadStreamOptions{BlockSize: 1 << 20})
		w.must(err)
		resp, err := c.DownloadStream(ctx, "data", name, nil)
		w.must(err)
		streamed, err := io.ReadAll(resp.Body)
		if err != nil || !bytes.Equal(streamed, want) {
			t.Errorf("%d bytes streamed: %v", size, err)
		}
	}
}

func TestRanges(t *testing.T) {
	w := newWorld(t, nil)
	c := w.container()
	_, err := c.UploadBuffer(ctx, "data", "x", []byte("0123456789"), nil)
	w.must(err)
	for _, test := range []struct {
		offset, count int64
		want          string
	}{{0, 4, "0123"}, {3, 0, "3456789"}, {8, 100, "89"}} {
		resp, err := c.DownloadStream(ctx, "data", "x", &azblob.DownloadStreamOptions{
			Range: azblob.HTTPRange{Offset: test.offset, Count: test.count}, RangeGetContentMD5: to.Ptr(true),
		})
		w.must(err)
		got, err := io.ReadAll(resp.Body)
		w.must(err)
		sum := md5.Sum(got)
		if string(got) != test.want || !bytes.Equal(resp.ContentMD5, sum[:]) || resp.ContentRange == nil {
			t.Errorf("%d+%d: got %q, MD5 %x, range %v", test.offset, test.count, got, resp.ContentMD5, resp.ContentRange)
		}
	}
	_, err = c.DownloadStream(ctx, "data", "x", &azblob.DownloadStreamOptions{Range: azblob.HTTPRange{Offset: 10, Count: 1}})
	w.wantCode(err, bloberror.InvalidRange)

	get := w.do("GET", accountURL+"data/x", map[string]string{"Authorization": "Bearer " + w.host.Issue(alice, "https://storage.azure.com/"), "Range": "bytes=2-3"})
	if get.code != 206 || get.text != "23" || get.header.Get("Content-Range") != "bytes 2-3/10" {
		t.Errorf("Range: %+v", get)
	}
}

func TestPropertiesAndMetadata(t *testing.T) {
	w := newWorld(t, nil)
	c := w.container()
	b := c.ServiceClient().NewContainerClient("data").NewBlockBlobClient("a b/ü?#%.txt")
	put, err := b.Upload(ctx, body("hello"), &blockblob.UploadOptions{
		Metadata:    map[string]*string{"name": to.Ptr("one"), "version": to.Ptr("2")},
		HTTPHeaders: &blob.HTTPHeaders{BlobContentType: to.Ptr("text/plain"), BlobCacheControl: to.Ptr("no-store"), BlobContentDisposition: to.Ptr("inline")},
	})
	w.must(err)
	got, err := b.GetProperties(ctx, nil)
	w.must(err)
	sum := md5.Sum([]byte("hello"))
	if *got.ContentType != "text/plain" || *got.CacheControl != "no-store" || *got.ContentDisposition != "inline" || *got.ContentLength != 5 ||
		*got.ETag != *put.ETag || !bytes.Equal(got.ContentMD5, sum[:]) || *got.BlobType != blob.BlobTypeBlockBlob || time.Since(*got.LastModified) > time.Minute {
		t.Errorf("properties: %+v", got)
	}
	if len(got.Metadata) != 2 || *got.Metadata["Name"] != "one" {
		t.Errorf("metadata: %v", got.Metadata)
	}
	_, err = b.SetMetadata(ctx, map[string]*string{"only": to.Ptr("this")}, nil)
	w.must(err)
	_, err = b.SetHTTPHeaders(ctx, blob.HTTPHeaders{BlobContentType: to.Ptr("text/html")}, nil)
	w.must(err)
	after, err := b.GetProperties(ctx, nil)
	w.must(err)
	if len(after.Metadata) != 1 || *after.Metadata["Only"] != "this" || *after.ContentType != "text/html" || after.CacheControl != nil || *after.ETag == *got.ETag {
		t.Errorf("after the changes: %v, %+v", after.Metadata, after)
	}
	_, err = b.SetMetadata(ctx, map[string]*string{"not-a-name": to.Ptr("x")}, nil)
	w.wantCode(err, bloberror.InvalidMetadata)
	_, err = b.SetMetadata(ctx, map[string]*string{"big": to.Ptr(strings.Repeat("x", 9000))}, nil)
	w.wantCode(err, bloberror.MetadataTooLarge)
}

func TestChecksums(t *testing.T) {
	w := newWorld(t, nil)
	b := w.container().ServiceClient().NewContainerClient("data").NewBlockBlobClient("x")
	sum := md5.Sum([]byte("hello"))
	_, err := b.Upload(ctx, body("hello"), &blockblob.UploadOptions{TransactionalValidation: blob.TransferValidationTypeMD5(sum[:])})
	w.must(err)
	_, err = b.Upload(ctx, body("other"), &blockblob.UploadOptions{TransactionalValidation: blob.TransferValidationTypeMD5(sum[:])})
	w.wantCode(err, bloberror.MD5Mismatch)
	_, err = b.Upload(ctx, body("hello"), &blockblob.UploadOptions{TransactionalValidation: blob.TransferValidationTypeComputeCRC64()})
	w.must(err)
	_, err = b.Upload(ctx, body("hello"), &blockblob.UploadOptions{TransactionalValidation: blob.TransferValidationTypeCRC64(7)})
	w.wantCode(err, "Crc64Mismatch")
	_, err = b.StageBlock(ctx, "QUFBQQ==", body("hello"), &blockblob.StageBlockOptions{TransactionalValidation: blob.TransferValidationTypeComputeCRC64()})
	w.must(err)
}

func TestBlocks(t *testing.T) {
	w := newWorld(t, nil)
	b := w.container().ServiceClient().NewContainerClient("data").NewBlockBlobClient("x")
	ids := []string{"QUFBQQ==", "QkJCQg==", "Q0NDQw=="}
	for i, id := range ids {
		_, err := b.StageBlock(ctx, id, body(strings.Repeat(fmt.Sprint(i), i+1)), nil)
		w.must(err)
	}
	list, err := b.GetBlockList(ctx, blockblob.BlockListTypeAll, nil)
	w.must(err)
	if len(list.UncommittedBlocks) != 3 || len(list.CommittedBlocks) != 0 || *list.UncommittedBlocks[0].Size != 3 {
		t.Errorf("before the commit: %+v", list.BlockList)
	}
	_, err = b.GetProperties(ctx, nil)
	w.wantCode(err, bloberror.BlobNotFound)
	_, err = b.CommitBlockList(ctx, []string{ids[2], ids[0]}, nil)
	w.must(err)
	list, err = b.GetBlockList(ctx, blockblob.BlockListTypeAll, nil)
	w.must(err)
	if len(list.UncommittedBlocks) != 0 || len(list.CommittedBlocks) != 2 || *list.CommittedBlocks[0].Name != ids[2] {
		t.Errorf("after the commit: %+v", list.BlockList)
	}
	got, err := b.DownloadStream(ctx, nil)
	w.must(err)
	if text, _ := io.ReadAll(got.Body); string(text) != "2220" {
		t.Errorf("got %q", text)
	}
	_, err = b.CommitBlockList(ctx, []string{ids[1]}, nil)
	w.wantCode(err, bloberror.InvalidBlockList)
	_, err = b.StageBlock(ctx, "not base64", body("x"), nil)
	w.wantCode(err, bloberror.InvalidBlockID)
	_, err = b.StageBlock(ctx, "RERERA==", body("x"), nil)
	w.must(err)
	_, err = b.StageBlock(ctx, "RERERERERERE", body("x"), nil)
	w.wantCode(err, bloberror.InvalidBlobOrBlock)
}

func TestConditions(t *testing.T) {
	w := newWorld(t, nil)
	b := w.container().ServiceClient().NewContainerClient("data").NewBlockBlobClient("x")
	modified := func(m *blob.ModifiedAccessConditions) *blob.AccessConditions {
		return &blob.AccessConditions{ModifiedAccessConditions: m}
	}
	first, err := b.Upload(ctx, body("1"), &blockblob.UploadOptions{AccessConditions: modified(&blob.ModifiedAccessConditions{IfNoneMatch: to.Ptr(azcore.ETagAny)})})
	w.must(err)
	_, err = b.Upload(ctx, body("2"), &blockblob.UploadOptions{AccessConditions: modified(&blob.ModifiedAccessConditions{IfNoneMatch: to.Ptr(azcore.ETagAny)})})
	w.wantCode(err, bloberror.BlobAlreadyExists)
	_, err = b.Upload(ctx, body("2"), &blockblob.UploadOptions{AccessConditions: modified(&blob.ModifiedAccessConditions{IfMatch: first.ETag})})
	w.must(err)
	_, err = b.Upload(ctx, body("3"), &blockblob.UploadOptions{AccessConditions: modified(&blob.ModifiedAccessConditions{IfMatch: first.ETag})})
	w.wantCode(err, bloberror.ConditionNotMet)
	now, err := b.GetProperties(ctx, nil)
	w.must(err)
	_, err = b.GetProperties(ctx, &blob.GetPropertiesOptions{AccessConditions: modified(&blob.ModifiedAccessConditions{IfMatch: first.ETag})})
	w.wantCode(err, bloberror.ConditionNotMet)
	for name, m := range map[string]*blob.ModifiedAccessConditions{
		"If-None-Match":     {IfNoneMatch: now.ETag},
		"If-Modified-Since": {IfModifiedSince: now.LastModified},
	} {
		resp, err := b.DownloadStream(ctx, &blob.DownloadStreamOptions{AccessConditions: modified(m)})
		if err != nil || resp.ErrorCode == nil || *resp.ErrorCode != string(bloberror.ConditionNotMet) {
			t.Errorf("%s: %v, %v", name, resp.ErrorCode, err)
		}
	}
	_, err = b.Delete(ctx, &blob.DeleteOptions{AccessConditions: modified(&blob.ModifiedAccessConditions{IfUnmodifiedSince: to.Ptr(now.LastModified.Add(-time.Hour))})})
	w.wantCode(err, bloberror.ConditionNotMet)
	_, err = b.Delete(ctx, &blob.DeleteOptions{AccessConditions: modified(&blob.ModifiedAccessConditions{IfMatch: now.ETag})})
	w.must(err)
	_, err = b.Delete(ctx, nil)
	w.wantCode(err, bloberror.BlobNotFound)
}

func TestListing(t *testing.T) {
	w := newWorld(t, nil)
	c := w.container()
	names := []string{"a", "d/1", "d/2", "d/e/3", "d/e/4", "weird\x01\x7fname +", "z & <é>"}
	for _, name := range names {
		_, err := c.UploadBuffer(ctx, "data", name, []byte(name), &azblob.UploadBufferOptions{Metadata: map[string]*string{"k": to.Ptr("v")}})
		w.must(err)
	}
	box := c.ServiceClient().NewContainerClient("data")
	var got []string
	flat := box.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{MaxResults: to.Ptr(int32(2)), Include: container.ListBlobsInclude{Metadata: true}})
	for flat.More() {
		page, err := flat.NextPage(ctx)
		w.must(err)
		for _, item := range page.Segment.BlobItems {
			got = append(got, *item.Name)
			if *item.Properties.ContentLength != int64(len(*item.Name)) || *item.Metadata["k"] != "v" || len(item.Properties.ContentMD5) != 16 {
				t.Errorf("%q: %+v", *item.Name, item)
			}
		}
	}
	if !slices.Equal(got, names) {
		t.Errorf("flat: %q", got)
	}
	got = nil
	tree := box.NewListBlobsHierarchyPager("/", &container.ListBlobsHierarchyOptions{Prefix: to.Ptr("d/"), MaxResults: to.Ptr(int32(1))})
	for tree.More() {
		page, err := tree.NextPage(ctx)
		w.must(err)
		for _, item := range page.Segment.BlobItems {
			got = append(got, *item.Name)
		}
		for _, item := range page.Segment.BlobPrefixes {
			got = append(got, "prefix "+*item.Name)
		}
	}
	if want := []string{"d/1", "d/2", "prefix d/e/"}; !slices.Equal(got, want) {
		t.Errorf("hierarchy: %q", got)
	}
}

func TestContainers(t *testing.T) {
	w := newWorld(t, nil)
	c := w.client(alice)
	for _, name := range []string{"aaa", "aab", "bbb"} {
		_, err := c.CreateContainer(ctx, name, &azblob.CreateContainerOptions{Metadata: map[string]*string{"n": to.Ptr(name)}})
		w.must(err)
	}
	var got []string
	pager := c.NewListContainersPager(&azblob.ListContainersOptions{Prefix: to.Ptr("aa"), MaxResults: to.Ptr(int32(1)), Include: azblob.ListContainersInclude{Metadata: true}})
	for pager.More() {
		page, err := pager.NextPage(ctx)
		w.must(err)
		for _, item := range page.ContainerItems {
			got = append(got, *item.Name+"="+*item.Metadata["n"])
		}
	}
	if !slices.Equal(got, []string{"aaa=aaa", "aab=aab"}) {
		t.Errorf("got %q", got)
	}
	_, err := c.CreateContainer(ctx, "aaa", nil)
	w.wantCode(err, bloberror.ContainerAlreadyExists)
	_, err = c.CreateContainer(ctx, "No", nil)
	w.wantCode(err, bloberror.InvalidResourceName)
	_, err = c.CreateContainer(ctx, "open", &azblob.CreateContainerOptions{Access: to.Ptr(azblob.PublicAccessTypeBlob)})
	w.wantCode(err, "PublicAccessNotPermitted")
	box := c.ServiceClient().NewContainerClient("aaa")
	_, err = box.SetMetadata(ctx, &container.SetMetadataOptions{Metadata: map[string]*string{"m": to.Ptr("1")}})
	w.must(err)
	properties, err := box.GetProperties(ctx, nil)
	w.must(err)
	if *properties.Metadata["M"] != "1" || properties.ETag == nil {
		t.Errorf("properties: %+v", properties)
	}
	_, err = c.DeleteContainer(ctx, "aaa", nil)
	w.must(err)
	_, err = c.DeleteContainer(ctx, "aaa", nil)
	w.wantCode(err, bloberror.ContainerNotFound)
	_, err = c.UploadBuffer(ctx, "aaa", "x", []byte("x"), nil)
	w.wantCode(err, bloberror.ContainerNotFound)
	_, err = c.DownloadStream(ctx, "bbb", "missing", nil)
	w.wantCode(err, bloberror.BlobNotFound)
	info, err := c.ServiceClient().GetAccountInfo(ctx, nil)
	if err != nil || *info.SKUName != "Standard_LRS" {
		t.Errorf("account info: %+v, %v", info, err)
	}
}

func TestCopy(t *testing.T) {
	w := newWorld(t, nil)
	c := w.container()
	_, err := c.UploadBuffer(ctx, "data", "from me", random(50_000), &azblob.UploadBufferOptions{Metadata: map[string]*string{"k": to.Ptr("v")}})
	w.must(err)
	box := c.ServiceClient().NewContainerClient("data")
	started, err := box.NewBlobClient("copy").StartCopyFromURL(ctx, accountURL+"data/from%20me", nil)
	w.must(err)
	if *started.CopyStatus != blob.CopyStatusTypeSuccess {
		t.Errorf("status %v", *started.CopyStatus)
	}
	_, err = box.NewBlobClient("copy2").CopyFromURL(ctx, accountURL+"data/copy", nil)
	w.must(err)
	_, err = box.NewBlockBlobClient("copy3").UploadBlobFromURL(ctx, accountURL+"data/copy2", nil)
	w.must(err)
	_, err = c.DeleteBlob(ctx, "data", "from me", nil)
	w.must(err)
	got, err := box.NewBlobClient("copy3").GetProperties(ctx, nil)
	if err != nil || *got.ContentLength != 50_000 || *got.Metadata["K"] != "v" || *got.CopySource != accountURL+"data/copy2" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := c.DownloadBuffer(ctx, "data", "copy", make([]byte, 50_000), nil); err != nil {
		t.Error(err)
	}
	for _, source := range []string{accountURL + "data/missing", "https://other.blob.core.windows.net/data/x", accountURL, "file:///etc/passwd"} {
		if _, err := box.NewBlobClient("no").StartCopyFromURL(ctx, source, nil); err == nil {
			t.Errorf("copied from %s", source)
		}
	}
}
