package cloud

import (
	"testing"

	"github.com/cloister-ml/cloister/arm"
)

func TestDescendAndText(t *testing.T) {
	tree := arm.Object{
		"compute": arm.Object{"vmId": "guid", "name": "vm", "tagsList": []any{arm.Object{"name": "a", "value": "b"}}},
		"network": arm.Object{"interface": []any{arm.Object{"ipv4": arm.Object{}}}},
	}
	tests := []struct {
		path, want string
		found      bool
	}{
		{"", "compute/\nnetwork/", true},
		{"compute", "name\ntagsList/\nvmId", true},
		{"compute/vmId", "guid", true},
		{"compute/tagsList/0/value", "b", true},
		{"network/interface", "0/", true},
		{"network/interface/0/", "ipv4/", true},
		{"network/interface/1", "", false},
		{"network/interface/-1", "", false},
		{"network/interface/x", "", false},
		{"compute/vmId/more", "", false},
		{"other", "", false},
	}
	for _, tt := range tests {
		node, found := descend(tree, tt.path)
		if found != tt.found || found && asText(node) != tt.want {
			t.Errorf("%q is %q (found %v), want %q (%v)", tt.path, asText(node), found, tt.want, tt.found)
		}
	}
}
