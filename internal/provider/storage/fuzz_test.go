package storage

import (
	"testing"
)

func FuzzParseBlockList(f *testing.F) {
	for _, seed := range []string{
		`<?xml version="1.0"?><BlockList><Latest>QUFB</Latest><Committed>QkJC</Committed></BlockList>`,
		`<BlockList></BlockList>`, `<BlockList><Latest>`, `<Other/>`, `<BlockList/><BlockList/>`, `<BlockList><Latest><b/></Latest></BlockList>`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		refs, err := parseBlockList(body)
		if err != nil {
			return
		}
		for _, ref := range refs {
			if checkBlockID(ref.ID) != nil {
				t.Errorf("%q gives the id %q", body, ref.ID)
			}
		}
	})
}

func FuzzParseRange(f *testing.F) {
	f.Add("bytes=0-3", int64(10))
	f.Add("bytes=9223372036854775807-", int64(10))
	f.Add("bytes=-5", int64(0))
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		part, err := parseRange(header, size)
		if err == nil && (part.offset < 0 || part.count < 0 || part.offset+part.count > size) {
			t.Errorf("%q of %d bytes gives %+v", header, size, part)
		}
	})
}

func TestParseBlockListRefuses(t *testing.T) {
	for _, body := range []string{
		"", "<BlockList>", "<Other></Other>", "<BlockList/><BlockList/>", "<BlockList><Newest>QUFB</Newest></BlockList>",
		"<BlockList><Latest>no base64</Latest></BlockList>", "<BlockList><Latest></Latest></BlockList>",
	} {
		if refs, err := parseBlockList([]byte(body)); err == nil {
			t.Errorf("%q gives %v", body, refs)
		}
	}
}
