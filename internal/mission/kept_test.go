package mission_test

import (
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/internal/mission"
)

const group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg"

func TestWriteKept(t *testing.T) {
	id := func(path string) arm.ID { return arm.ID(group + "/providers/" + path) }
	vault := id("Microsoft.KeyVault/vaults/kv")
	setting := vault.Extension("Microsoft.Insights", "diagnosticSettings", "logs")
	assignment := func(name string) cloud.Status {
		return cloud.Status{ID: id("Microsoft.Authorization/policyAssignments/" + name), Type: "Microsoft.Authorization/policyAssignments", Kept: true}
	}
	tests := []struct {
		name      string
		resources []cloud.Status
		unread    []arm.Unread
		want      []string // lines, without what only aligns them
	}{
		{name: "all runs", resources: []cloud.Status{{ID: vault, Type: vault.Type()}}},
		{
			name:      "a document of another, by both names",
			resources: []cloud.Status{{ID: vault, Type: vault.Type()}, {ID: setting, Type: setting.Type(), Kept: true}},
			want:      []string{"", "Kept, not run: no service answers for", "1 Microsoft.Insights/diagnosticSettings kv/logs"},
		},
		{
			name:      "many, of which the first are named",
			resources: []cloud.Status{assignment("a"), assignment("b"), assignment("c"), assignment("d"), assignment("e")},
			want:      []string{"", "Kept, not run: no service answers for", "5 Microsoft.Authorization/policyAssignments a, b, c and 2 more"},
		},
		{
			name:   "what was not read",
			unread: []arm.Unread{{Type: "azurerm_bot", Address: "azurerm_bot.this"}},
			want:   []string{"", "Not in the estate: no meaning is known of", "1 azurerm_bot azurerm_bot.this"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			if err := mission.WriteKept(&b, tt.resources, tt.unread); err != nil {
				t.Fatal(err)
			}
			var got []string
			for line := range strings.Lines(b.String()) {
				got = append(got, strings.Join(strings.Fields(line), " "))
			}
			if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}
