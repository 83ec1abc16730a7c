package sshd

import (
	"encoding/json"
	"testing"

	"github.com/cloister-ml/cloister/internal/bastion"
)

// Whatever a configuration or a client's request holds, reading it ends with a
// value or a refusal.
func FuzzConfig(f *testing.F) {
	host, line, err := bastion.NewKey()
	if err != nil {
		f.Fatal(err)
	}
	good, err := json.Marshal(Config{HostKey: string(host), Machine: "vm", Authority: line, Keys: map[string][]string{"ada": {line}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, []byte("\x00\x00\x00\x05xterm\x00\x00\x00\x50\x00\x00\x00\x18\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte(`{"keys":{"../x":["ssh-ed25519 AAAA"]}}`), []byte{})
	f.Fuzz(func(t *testing.T, config, request []byte) {
		var c Config
		if json.Unmarshal(config, &c) == nil {
			if d, err := c.door(); err == nil {
				for account := range d.keys {
					if !ValidAccount(account) {
						t.Errorf("the account %q was taken", account)
					}
				}
			}
		}
		if p, ok := decode[ptyRequest](request); ok && len(p.Term) > len(request) {
			t.Errorf("a terminal's name of %d bytes out of %d", len(p.Term), len(request))
		}
		decode[execRequest](request)
		decode[forwardRequest](request)
	})
}
