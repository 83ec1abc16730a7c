package floorplan

import (
	"bytes"
	"fmt"
	"math"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	nt "github.com/cloister-ml/cloister/network/networktest"
)

func drawn(t testing.TB, p *Plan) string {
	t.Helper()
	var b bytes.Buffer
	if err := SVG(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// small is two networks, of which one has an endpoint.
func small(t testing.TB, more ...any) *Plan {
	return planOf(t, append(more, nt.VNet("a", "10.1.0.0/16"), nt.VNet("b", "10.2.0.0/16"),
		nt.Subnet("a", "s", "10.1.1.0/24", nt.UseNSG("g")), nt.NSG("g"), nt.Subnet("b", "s", "10.2.1.0/24"), nt.VM("vm", "a", "s", ""),
		nt.Storage("st"), nt.Endpoint("pe", "b", "s", nt.StorageID("st"), "blob"))...)
}

func TestFlowThatFalls(t *testing.T) {
	flow := Finding{Rule: "vm-reaches-storage", Title: "vm reaches st", Reason: "nothing passes", From: nt.VMID("vm"), To: nt.StorageID("st"), Door: "blob", Where: "main.tf:7"}
	for _, tt := range []struct {
		name      string
		finding   Finding
		with, not []string
	}{
		{"a flow", flow, []string{`class="wire flow"`, `class="arrow"`, `class="ring"`, ">vm-reaches-storage · falls", "main.tf:7", ">1</text>"}, []string{"flow doubt"}},
		{"a flow that is not known", with(flow, func(f *Finding) { f.Unknown = true }), []string{`class="wire flow doubt"`, "not known"}, []string{`class="wire flow"`, `class="ring"`}},
		{"a document", Finding{Rule: "r", Title: "x", Resource: nt.NSGID("g")}, []string{`class="ring"`}, []string{`class="wire flow`}},
		{"a place that is not drawn", with(flow, func(f *Finding) { f.From = nt.VMID("gone") }), []string{"vm-reaches-storage · falls"}, []string{`class="wire flow`, `class="ring"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := small(t)
			p.Findings = []Finding{tt.finding}
			p.Tally = &Tally{Falls: 1}
			s := drawn(t, p)
			for _, want := range tt.with {
				if !strings.Contains(s, want) {
					t.Errorf("the map lacks %s", want)
				}
			}
			for _, no := range tt.not {
				if strings.Contains(s, no) {
					t.Errorf("the map has %s", no)
				}
			}
		})
	}
}

func with(f Finding, change func(*Finding)) Finding { change(&f); return f }

// One-sided peerings are seen to be broken.
func TestPeeringsAreDrawn(t *testing.T) {
	if s := drawn(t, small(t, nt.Peer("a", "b"))); !strings.Contains(s, `class="wire peer"`) || strings.Contains(s, "peer bad") {
		t.Error("a peering is not drawn as one that carries traffic")
	}
	if s := drawn(t, small(t, nt.Peering("a", "b"))); !strings.Contains(s, `class="wire peer bad"`) || !strings.Contains(s, `class="wire cross"`) {
		t.Error("a one-sided peering is not drawn broken")
	}
}

func TestTally(t *testing.T) {
	for _, tt := range []struct {
		tally Tally
		want  string
	}{
		{Tally{Holds: 66}, "All 66 requirements hold"},
		{Tally{Holds: 60, Falls: 5, Unknown: 1}, "5 of 66 requirements fall, 1 cannot be known before deployment"},
		{Tally{Holds: 60, Unknown: 6}, "No requirement falls, 6 of 66 cannot be known before deployment"},
		{Tally{Holds: 65, Off: 1}, "All 65 requirements hold (1 switched off)"},
		{Tally{}, "Nothing was required of it"},
	} {
		p := small(t)
		p.Tally = &tt.tally
		if s := drawn(t, p); !strings.Contains(s, ">"+tt.want+"<") {
			t.Errorf("%+v: the map does not say %q", tt.tally, tt.want)
		}
	}
}

func TestTextIsEscaped(t *testing.T) {
	p := small(t)
	p.Title = "<script>alert('x')</script> & \x00\xff"
	s := drawn(t, p)
	if strings.Contains(s, "<script") || !strings.Contains(s, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; \uFFFD\uFFFD") {
		t.Error("the title is not escaped")
	}
}

func TestEmptyEstate(t *testing.T) {
	if s := drawn(t, planOf(t)); !strings.Contains(s, "There is no virtual network") {
		t.Error("an empty map does not say that it is empty")
	}
}

// Many of a kind are one chip that says how many.
func TestManyAreTakenTogether(t *testing.T) {
	var vms []any
	for i := range 40 {
		vms = append(vms, nt.VM(fmt.Sprintf("node-%d", i), "a", "s", ""))
	}
	s := drawn(t, small(t, vms...))
	if !strings.Contains(s, "×41 virtual machines") || strings.Contains(s, ">node-7<") {
		t.Error("41 machines are not drawn as one")
	}
}

// Findings do not move what is on the map.
func TestFindingsMoveNothing(t *testing.T) {
	order := func(p *Plan) (out []string) {
		for _, c := range newScene(p).columns {
			for _, b := range c.blocks {
				out = append(out, fmt.Sprint(b.col, b.ids))
			}
		}
		return out
	}
	before, p := order(small(t)), small(t)
	p.Findings = []Finding{{Rule: "r", From: nt.VMID("vm"), To: nt.StorageID("st")}}
	if after := order(p); !slices.Equal(before, after) {
		t.Errorf("order with findings %v, without %v", after, before)
	}
}

func TestDOT(t *testing.T) {
	p := small(t, nt.Peering("a", "b"))
	p.Title = `a "quoted" \ title`
	var b bytes.Buffer
	if err := DOT(&b, p); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`label="a \"quoted\" \\ title"`, "subgraph cluster_", `label="one-sided"`, "lhead=cluster_"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the graph lacks %s:\n%s", want, b.String())
		}
	}
	dot, err := exec.LookPath("dot")
	if err != nil {
		t.Skip("Graphviz is not installed")
	}
	cmd := exec.Command(dot, "-Tcanon")
	cmd.Stdin = &b
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("dot: %v\n%s", err, out)
	}
}

func TestClip(t *testing.T) {
	for _, tt := range []struct {
		s    string
		room int
		want string
	}{
		{"short", 100, "short"},
		{"a-very-long-name-indeed", 80, "a-very…deed"},
		{"anything", 0, "…"},
	} {
		got := clip(tt.s, tt.room, 12, plain)
		if tt.want == "a-very…deed" {
			if !strings.HasPrefix(got, "a-") || !strings.HasSuffix(got, "ed") || width(got, 12, plain) > tt.room {
				t.Errorf("clip(%q, %d) = %q", tt.s, tt.room, got)
			}
			continue
		}
		if got != tt.want {
			t.Errorf("clip(%q, %d) = %q, want %q", tt.s, tt.room, got, tt.want)
		}
	}
}

func TestWrapText(t *testing.T) {
	lines := wrapText("one two three four five six seven", 60, 12, 2)
	if len(lines) != 2 || !strings.HasSuffix(lines[1], "…") {
		t.Errorf("lines %q: want two, the last cut short", lines)
	}
}

// Text has a contrast of 4.5 to 1 and lines of 3 to 1 with what they are on, by day
// and by night (WCAG 2.2, 1.4.3 and 1.4.11).
func TestContrast(t *testing.T) {
	day, night, _ := strings.Cut(style, "@media")
	for name, sheet := range map[string]string{"day": day, "night": night} {
		for _, tt := range []struct {
			rule, property, on string
			least              float64
		}{
			{"text", "fill", "room", 4.5}, {"text", "fill", "subnet", 4.5}, {"text", "fill", "paper", 4.5}, {"sub", "fill", "paper", 4.5},
			{"small", "fill", "room", 4.5}, {"tiny", "fill", "pill", 4.5}, {"onbadge", "fill", "badge", 4.5},
			{"tclosed", "fill", "closed", 4.5}, {"tselected", "fill", "selected", 4.5}, {"topen", "fill", "open", 4.5},
			{"tfall", "fill", "paper", 4.5}, {"thold", "fill", "paper", 4.5}, {"tdoubt", "fill", "paper", 4.5},
			{"peer", "stroke", "paper", 3}, {"bad", "stroke", "paper", 3}, {"way", "stroke", "paper", 3}, {"flow", "stroke", "paper", 3}, {"doubt", "stroke", "paper", 3},
			{"learning", "stroke", "paper", 3}, {"storage", "stroke", "paper", 3}, {"registry", "stroke", "paper", 3}, {"secrets", "stroke", "paper", 3},
			{"data", "stroke", "paper", 3}, {"monitoring", "stroke", "paper", 3}, {"other", "stroke", "paper", 3}, {"icon", "stroke", "chip", 3},
		} {
			a, b := colour(t, sheet, tt.rule, tt.property), colour(t, sheet, tt.on, "fill")
			if got := contrast(a, b); got < tt.least {
				t.Errorf("%s: %s on %s has a contrast of %.2f, want %.1f", name, tt.rule, tt.on, got, tt.least)
			}
		}
	}
}

func colour(t *testing.T, sheet, rule, property string) [3]float64 {
	t.Helper()
	selector := `(?:^|[\n},])\.` + rule
	if rule == "text" {
		selector = `\ntext`
	}
	m := regexp.MustCompile(selector + `(?:,[^{]*)?\{[^}]*?` + property + `:#([0-9a-f]+)`).FindStringSubmatch(sheet)
	if m == nil {
		t.Fatalf("no %s of %s", property, rule)
	}
	hex := m[1]
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	var out [3]float64
	for i := range out {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if out[i] = c / 12.92; c > 0.04045 {
			out[i] = math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return out
}

func contrast(a, b [3]float64) float64 {
	l := func(c [3]float64) float64 { return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2] }
	return (max(l(a), l(b)) + 0.05) / (min(l(a), l(b)) + 0.05)
}
