package signing_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/internal/provider/storage/signing"
)

// The texts of each version, from Azure's documentation of how a SAS is made.
func TestTextByVersion(t *testing.T) {
	const delegation = "&skoid=OID&sktid=TID&skt=2026-01-01T00:00:00Z&ske=2026-01-02T00:00:00Z&sks=b&skv=KV&saoid=A&suoid=U&scid=C"
	const rest = "&sp=r&st=2026-01-01&se=2026-01-02T00:00Z&sip=1.2.3.4-1.2.3.9&spr=https&ses=SCOPE&rscc=CC&rscd=CD&rsce=CE&rscl=CL&rsct=CT&sig=x"
	head := "r|2026-01-01|2026-01-02T00:00Z|/blob/acct/box/dir/x|"
	tail := "|CC|CD|CE|CL|CT"
	key := "OID|TID|2026-01-01T00:00:00Z|2026-01-02T00:00:00Z|b|KV|"
	for _, test := range []struct{ query, want string }{
		{"sv=2017-04-17&sr=b" + rest, head + "|1.2.3.4-1.2.3.9|https|2017-04-17" + tail},
		{"sv=2018-11-09&sr=b" + rest, head + "|1.2.3.4-1.2.3.9|https|2018-11-09|b|" + tail},
		{"sv=2021-12-02&sr=b" + rest, head + "|1.2.3.4-1.2.3.9|https|2021-12-02|b||SCOPE" + tail},
		{"sv=2019-12-12&sr=b" + delegation + rest, head + key + "1.2.3.4-1.2.3.9|https|2019-12-12|b|" + tail},
		{"sv=2020-02-10&sr=b" + delegation + rest, head + key + "A|U|C|1.2.3.4-1.2.3.9|https|2020-02-10|b|" + tail},
		{"sv=2021-12-02&sr=b" + delegation + rest, head + key + "A|U|C|1.2.3.4-1.2.3.9|https|2021-12-02|b||SCOPE" + tail},
		{"sv=2025-11-05&sr=b" + delegation + rest, head + key + "A|U|C|||1.2.3.4-1.2.3.9|https|2025-11-05|b||SCOPE" + tail},
		{"sv=2026-12-06&sr=b" + delegation + rest, head + key + "A|U|C|||1.2.3.4-1.2.3.9|https|2026-12-06|b||SCOPE||" + tail},
		{"sv=2026-12-06&sr=b&srh=x-one&srq=comp" + delegation + rest, head + key + "A|U|C|||1.2.3.4-1.2.3.9|https|2026-12-06|b||SCOPE|x-one:1||" + "|comp:block" + tail},
		{"sv=2026-12-06&sr=c" + rest, strings.TrimSuffix(head, "/dir/x|") + "||1.2.3.4-1.2.3.9|https|2026-12-06|c||SCOPE" + tail},
		{"sv=2019-12-12&ss=b&srt=sco" + rest, "acct|r|b|sco|2026-01-01|2026-01-02T00:00Z|1.2.3.4-1.2.3.9|https|2019-12-12|"},
		{"sv=2021-12-02&ss=b&srt=sco" + rest, "acct|r|b|sco|2026-01-01|2026-01-02T00:00Z|1.2.3.4-1.2.3.9|https|2021-12-02|SCOPE|"},
	} {
		q, err := url.ParseQuery(test.query)
		if err != nil {
			t.Fatal(err)
		}
		s, err := signing.ParseSAS(q)
		if err != nil {
			t.Errorf("%s: %v", test.query, err)
			continue
		}
		r := &http.Request{Method: "GET", URL: &url.URL{RawQuery: "comp=block"}, Header: http.Header{"X-One": {"1"}}}
		got := strings.ReplaceAll(s.Text(r, "acct", "box", "dir/x"), "\n", "|")
		if got != test.want {
			t.Errorf("%s\ngot  %s\nwant %s", test.query, got, test.want)
		}
		for addr, want := range map[string]bool{"1.2.3.3": false, "1.2.3.4": true, "1.2.3.9": true, "1.2.3.10": false, "::1": false} {
			if s.AllowsAddress(netip.MustParseAddr(addr)) != want {
				t.Errorf("sip with %s: not %v", addr, want)
			}
		}
	}
}

func TestParseSASRefuses(t *testing.T) {
	good := "sv=2021-12-02&sr=b&sp=r&se=2026-01-02T00:00:00Z&sig=x"
	if _, err := parse(good); err != nil {
		t.Fatal(err)
	}
	for what, query := range map[string]string{
		"no version":           strings.Replace(good, "sv=2021-12-02&", "", 1),
		"old version":          strings.Replace(good, "2021-12-02", "2012-02-12", 1),
		"no resource":          strings.Replace(good, "sr=b&", "", 1),
		"directory":            strings.Replace(good, "sr=b", "sr=d", 1),
		"no expiry":            strings.Replace(good, "se=2026-01-02T00:00:00Z&", "", 1),
		"bad expiry":           strings.Replace(good, "2026-01-02T00:00:00Z", "tomorrow", 1),
		"stored policy":        good + "&si=mine",
		"bad address":          good + "&sip=1.2.3",
		"reversed range":       good + "&sip=1.2.3.9-1.2.3.4",
		"bad protocol":         good + "&spr=ftp",
		"twice":                good + "&sp=w",
		"bound to a person":    good + "&sduoid=x",
		"delegation of queue":  good + "&skoid=x&sktid=y&skt=2026-01-01T00:00:00Z&ske=2026-01-02T00:00:00Z&sks=q",
		"delegation, no times": good + "&skoid=x&sktid=y&sks=b",
		"account and resource": good + "&ss=b&srt=o",
	} {
		if _, err := parse(query); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}

func parse(query string) (*signing.SAS, error) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	return signing.ParseSAS(q)
}

// Header names sort as words, and hyphens break ties.
func TestRequestSortsHeaders(t *testing.T) {
	r := &http.Request{Method: "PUT", URL: &url.URL{Path: "/box/a b", RawQuery: "B=2&a=z&a=y"}, Header: http.Header{
		"X-Ms-Meta-Ab": {"1"}, "X-Ms-Meta-A-C": {"2"}, "X-Ms-Meta-A_b": {"3"}, "X-Ms-Date": {"now"}, "Content-Length": {"0"}, "Date": {"then"},
	}}
	texts := signing.Request(r, "acct")
	wantResource := "/acct/box/a%20b\na:y,z\nb:2"
	for i, want := range []string{
		"x-ms-date:now\nx-ms-meta-a_b:3\nx-ms-meta-ab:1\nx-ms-meta-a-c:2\n",
		"x-ms-date:now\nx-ms-meta-a-c:2\nx-ms-meta-a_b:3\nx-ms-meta-ab:1\n",
	} {
		if want = "PUT" + strings.Repeat("\n", 12) + want + wantResource; texts[i] != want {
			t.Errorf("text %d:\n%q\nwant\n%q", i, texts[i], want)
		}
	}
}

func FuzzParseSAS(f *testing.F) {
	f.Add("sv=2021-12-02&sr=b&sp=r&se=2026-01-02T00:00:00Z&sip=1.2.3.4-1.2.3.9&sig=x")
	f.Add("sv=2026-12-06&sr=c&sp=rl&se=2026-01-02&skoid=x&sktid=y&skt=2026-01-01&ske=2026-01-02&sks=b&skv=v&srh=a,b&srq=c&sig=x")
	f.Add("sv=2019-12-12&ss=b&srt=sco&sp=r&se=2026-01-02&sig=x")
	f.Fuzz(func(t *testing.T, query string) {
		s, err := parse(query)
		if err != nil {
			return
		}
		r := &http.Request{Method: "GET", URL: &url.URL{RawQuery: query}, Header: http.Header{}}
		if s.Text(r, "acct", "box", "x") == "" || s.Expiry.IsZero() && s.Start.After(s.Expiry) {
			t.Errorf("%q gives no text", query)
		}
		if s.Text(r, "acct", "box", "x") == s.Text(r, "acct2", "box", "x") {
			t.Errorf("%q does not sign the account", query)
		}
	})
}

func FuzzRequest(f *testing.F) {
	f.Add("GET", "/a/b?x=1&X=2", "x-ms-meta-a", "v")
	f.Add("PUT", "//%2e%2e/%00?comp", "X-Ms--", "")
	f.Fuzz(func(t *testing.T, method, target, name, value string) {
		u, err := url.Parse(target)
		if err != nil {
			return
		}
		r := &http.Request{Method: method, URL: u, Header: http.Header{http.CanonicalHeaderKey(name): {value}}}
		for _, text := range signing.Request(r, "acct") {
			if !strings.Contains(text, "/acct") {
				t.Errorf("%q does not name the account", text)
			}
		}
	})
}
