package agent

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/internal/devops/wire"
	"github.com/cloister-ml/cloister/internal/machine"
)

func TestParseCommand(t *testing.T) {
	for _, c := range []struct {
		line, name, data string
		properties       map[string]string
	}{
		{"##vso[task.setvariable variable=x]value", "task.setvariable", "value", map[string]string{"variable": "x"}},
		{"##vso[task.setvariable variable=x;isOutput=true;issecret=false]a]b", "task.setvariable", "a]b", map[string]string{"variable": "x", "isoutput": "true", "issecret": "false"}},
		{"  before ##vso[Task.Complete result=Failed;]", "task.complete", "", map[string]string{"result": "Failed"}},
		{"##vso[task.logissue type=error;sourcepath=a b.c;linenumber=7]100%25 %3B%5D%0Aend", "task.logissue", "100% ;]\nend", map[string]string{"type": "error", "sourcepath": "a b.c", "linenumber": "7"}},
		{"##vso[task.debug]", "task.debug", "", nil},
		{"##vso[task.setvariable]", "task.setvariable", "", nil},
	} {
		got, ok := parseCommand(c.line)
		if !ok || got.name != c.name || got.data != c.data || len(got.properties) != len(c.properties) {
			t.Errorf("%q is %+v (%v)", c.line, got, ok)
		}
		for k, v := range c.properties {
			if got.properties[k] != v {
				t.Errorf("%q: %s is %q, want %q", c.line, k, got.properties[k], v)
			}
		}
	}
	for _, line := range []string{"", "##vso", "##vso[task.setvariable variable=x", "##vso[]x", "##vso[task]x", "##vso[.x]", "##[section]x", "vso[task.debug]x"} {
		if got, ok := parseCommand(line); ok {
			t.Errorf("%q is the command %+v", line, got)
		}
	}
}

func FuzzParseCommand(f *testing.F) {
	f.Add("##vso[task.setvariable variable=x;isOutput=true]value")
	f.Fuzz(func(t *testing.T, line string) {
		if c, ok := parseCommand(line); ok && (c.name == "" || !strings.Contains(c.name, ".")) {
			t.Errorf("%q is the command %+v", line, c)
		}
	})
}

func TestMask(t *testing.T) {
	for _, c := range []struct {
		secrets    []string
		text, want string
	}{
		{nil, "nothing to hide", "nothing to hide"},
		{[]string{"abc"}, "xabcx abc", "x***x ***"},
		{[]string{"abc", "cde"}, "abcde", "***"},
		{[]string{"ab", "abcd"}, "abcd", "***"},
		{[]string{"a b&c"}, "a+b%26c a%20b&c", "*** ***"},
		{[]string{`q"uote`}, `{"x":"q\"uote"}`, `{"x":"***"}`},
		{[]string{"first line\nsecond line\n}"}, "} second line", "} ***"},
		{[]string{"", "\n"}, "as it is", "as it is"},
		{[]string{"aa"}, "aaa", "***"},
	} {
		m := &masker{}
		for _, s := range c.secrets {
			m.add(s)
		}
		if got := m.mask(c.text); got != c.want {
			t.Errorf("with %q, %q becomes %q, want %q", c.secrets, c.text, got, c.want)
		}
	}
}

// Whatever stands around them and however they overlap, no secret can be read.
// What a line is cut for its length does not show the beginning of a secret.
func TestLongLineIsMaskedBeforeItIsCut(t *testing.T) {
	m := &masker{}
	m.add("hunter2hunter2")
	l := newReporter(nil, wire.Job{}, m).log("id", "step")
	l.line(strings.Repeat("x", maxLineLength-7) + "hunter2hunter2")
	if got := l.lines[0]; strings.Contains(got, "hunter2") || !strings.HasSuffix(got, "x***") {
		t.Errorf("the line ends with %q", got[len(got)-30:])
	}
	l.line(strings.Repeat("ä", maxLineLength))
	if got := l.lines[1]; !utf8.ValidString(got) || !strings.HasSuffix(got, " (cut)") {
		t.Errorf("the line ends with %q", got[len(got)-30:])
	}
}

// Git's token goes to the organisation's own address, and nowhere that it points to.
func TestCheckoutFollowsNoRedirect(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	var elsewhere, here atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	organisation := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "bearer token" {
			here.Add(1)
		}
		http.Redirect(w, r, other.URL+r.URL.String(), http.StatusFound)
	}))
	defer organisation.Close()
	s := &stepRun{jobRun: &jobRun{folders: folders{temp: t.TempDir()}}}
	cmd := exec.Command("git", "ls-remote", organisation.URL+"/p/_git/r")
	cmd.Dir, cmd.Env = t.TempDir(), s.gitEnvironment(organisation.URL+"/p/_git/r", "token")
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Errorf("git took the redirect: %s", out)
	}
	if here.Load() == 0 || elsewhere.Load() != 0 {
		t.Errorf("the token was shown %d times at home, and %d requests came elsewhere", here.Load(), elsewhere.Load())
	}
}

func TestMaskProperties(t *testing.T) {
	letters := rapid.StringOfN(rapid.SampledFrom([]rune("ab")), 2, 5, -1)
	rapid.Check(t, func(rt *rapid.T) {
		m := &masker{}
		secrets := rapid.SliceOfN(letters, 1, 3).Draw(rt, "secrets")
		for _, s := range secrets {
			m.add(s)
		}
		text := rapid.StringOfN(rapid.SampledFrom([]rune("abc ")), 0, 40, -1).Draw(rt, "text")
		got := m.mask(text)
		for _, s := range secrets {
			if strings.Contains(got, s) {
				rt.Fatalf("%q is left in %q of %q", s, got, text)
			}
		}
	})
}

func TestDecrypt(t *testing.T) {
	key, iv := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, aes.BlockSize)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	plain := append([]byte("hello"), bytes.Repeat([]byte{11}, 11)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(plain, plain)
	good := base64.StdEncoding.EncodeToString(plain)
	if text, err := decrypt(wire.Message{IV: iv, Body: good}, key); err != nil || text != "hello" {
		t.Errorf("%q, %v", text, err)
	}
	for what, m := range map[string]wire.Message{
		"no base64":       {IV: iv, Body: "?"},
		"half a block":    {IV: iv, Body: good[:8]},
		"nothing":         {IV: iv},
		"a short vector":  {IV: iv[:3], Body: good},
		"another padding": {IV: iv, Body: base64.StdEncoding.EncodeToString(make([]byte, 16))},
	} {
		if _, err := decrypt(m, key); err == nil {
			t.Errorf("%s was decrypted", what)
		}
	}
}

func TestProcess(t *testing.T) {
	run := func(ctx context.Context, script string) (int, []string, error) {
		var lines []string
		code, err := process{args: []string{"bash", "-c", script}, dir: t.TempDir(), env: os.Environ(), stdout: func(l string) { lines = append(lines, l) }}.run(ctx)
		return code, lines, err
	}
	if code, lines, err := run(context.Background(), "echo a; echo b >&2; printf c; exit 7"); err != nil || code != 7 || strings.Join(lines, " ") != "a b c" {
		t.Errorf("%d %v %v", code, lines, err)
	}
	if code, _, err := run(context.Background(), "kill -9 $$"); err != nil || code != 137 {
		t.Errorf("a killed script ended with %d, %v, want 137", code, err)
	}
	begun := time.Now()
	if code, lines, err := run(context.Background(), "sleep 60 & echo done"); err != nil || code != 0 || len(lines) != 1 || time.Since(begun) > 10*time.Second {
		t.Errorf("what a script leaves running must not hold it: %d %v %v after %s", code, lines, err, time.Since(begun))
	}
	ctx, stop := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer stop()
	if _, _, err := run(ctx, "trap 'exit 0' INT; sleep 60 & wait"); !errors.Is(err, errStopped) {
		t.Errorf("%v, want that it was stopped", err)
	}
	if _, lines, _ := run(context.Background(), "head -c 100000 /dev/zero | tr '\\0' x"); len(lines) < 2 {
		t.Errorf("a line without an end came as %d lines", len(lines))
	}
	if _, err := (process{args: []string{"/nonexistent"}, stdout: func(string) {}}).run(context.Background()); err == nil {
		t.Error("a program that does not exist ran")
	}
}

func TestVariables(t *testing.T) {
	v := newVariables(map[string]wire.VariableValue{
		"Build.Id": {Value: "7", IsReadOnly: true}, "a": {Value: "x$(b)"}, "b": {Value: "y"}, "secret": {Value: "s", IsSecret: true},
	})
	if v.set("BUILD.ID", wire.VariableValue{Value: "8"}) {
		t.Error("a read-only variable was changed")
	}
	v.set("Secret", wire.VariableValue{Value: "t"})
	env := v.environment()
	if env["BUILD_ID"] != "7" || env["A"] != "xy" {
		t.Errorf("the environment is %v", env)
	}
	if _, shown := env["SECRET"]; shown {
		t.Error("a secret is in the environment, once it was set again")
	}
	if got := v.expand("$(a) $(SECRET) $(other)"); got != "xy t $(other)" {
		t.Errorf("got %q", got)
	}
}

func TestParseTimeout(t *testing.T) {
	for text, want := range map[string]time.Duration{"00:05:00": 5 * time.Minute, "01:00:30": time.Hour + 30*time.Second, "00:00:00": 0, "x": 5 * time.Minute, "-1:0:0": 5 * time.Minute} {
		if got := parseTimeout(text); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}

func TestInstallService(t *testing.T) {
	dir := t.TempDir()
	s := machine.Service{Name: "agent-x", Args: []string{"/opt/agent/cloister", "agent", "run"}, Cwd: "/opt/agent"}
	text, err := install(filepath.Join(dir, "services.d"), filepath.Join(dir, "no-marker"), s)
	if err != nil || !strings.Contains(text, "agent run --home /opt/agent") {
		t.Errorf("%q, %v: it must say what to do", text, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "services.d")); err == nil {
		t.Error("it wrote a service down although nobody would start it")
	}
}
