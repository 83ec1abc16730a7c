package lang

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/source/terraform/internal/funcs"
)

// maxSource bounds one file of configuration.
const maxSource = 4 << 20

// module is what the files of one directory declare.
type module struct {
	dir       string // as messages show it
	variables map[string]*variable
	locals    map[string]*hcl.Attribute
	resources map[string]*resourceBlock // by type.name, after data. or ephemeral. for those
	calls     map[string]*callBlock
	outputs   map[string]*outputBlock
	providers map[string]*providerBlock // by name or name.alias
	aliases   map[string]hcl.Range      // configurations that the caller gives, as name.alias
	versions  map[string]string         // constraints on providers' versions
	required  map[string]hcl.Range      // where required_providers stands

	refactorings []refactoring
	checks       []check
	checkAt      map[string]hcl.Range
}

type resourceBlock struct {
	mode      string // "", data or ephemeral
	typ, name string
	at        hcl.Range
	body      hcl.Body
	// taken out of the body
	count, forEach, provider hcl.Expression
	dependsOn                hcl.Expression
	preconditions            []condition
	postconditions           []condition
}

func (b *resourceBlock) key() string {
	if b.mode != "" {
		return b.mode + "." + b.typ + "." + b.name
	}
	return b.typ + "." + b.name
}

type callBlock struct {
	name      string
	at        hcl.Range
	source    string
	sourceAt  hcl.Range
	args      map[string]*hcl.Attribute
	count     hcl.Expression
	forEach   hcl.Expression
	dependsOn hcl.Expression
	providers hcl.Expression
}

type outputBlock struct {
	name  string
	at    hcl.Range
	value hcl.Expression
	// sensitive may hold secrets.
	sensitive     bool
	preconditions []condition
}

type providerBlock struct {
	name, alias string
	at          hcl.Range
	body        hcl.Body
}

// condition is a validation, a precondition or a postcondition.
type condition struct {
	test, message hcl.Expression
}

// readFile reads one file of configuration or of values, refusing what cannot be
// one before the parser sees it.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var text bytes.Buffer
	text.Grow(int(min(info.Size(), maxSource)) + bytes.MinRead)
	_, err = text.ReadFrom(io.LimitReader(f, maxSource+1))
	src := text.Bytes()
	switch {
	case err != nil:
		return nil, err
	case len(src) > maxSource:
		return nil, fmt.Errorf("%s is larger than %d MiB: configuration is written by people, so this is likely another kind of file", path, maxSource>>20)
	case !utf8.Valid(src):
		return nil, fmt.Errorf("%s is not UTF-8 text", path)
	}
	if strings.HasSuffix(path, ".json") {
		return src, funcs.NestingJSON(src, path)
	}
	return src, funcs.Nesting(src, path, false)
}

// parseFile parses a file of configuration or of values in either syntax.
func (ev *evaluator) parseFile(path string) (hcl.Body, bool) {
	src, err := readFile(path)
	if err != nil {
		ev.fail(nil, "File cannot be read", "%s.", strings.TrimSuffix(err.Error(), "."))
		return nil, false
	}
	parse := (*hclparse.Parser).ParseHCL
	if strings.HasSuffix(path, ".json") {
		parse = (*hclparse.Parser).ParseJSON
	}
	file, diags := parse(ev.parser, src, path)
	ev.report(diags)
	if file == nil || file.Body == nil {
		return nil, false
	}
	if native, ok := file.Body.(*hclsyntax.Body); ok {
		funcs.Bound(native, &ev.meter)
		if bytes.Contains(src, []byte("provider::")) {
			ev.makeRoom(native)
		}
	}
	return file.Body, !diags.HasErrors()
}

// IsSource reports whether a file name is one of configuration.
func IsSource(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") {
		return false
	}
	return strings.HasSuffix(name, ".tf") || strings.HasSuffix(name, ".tf.json")
}

// file is a file of configuration.
type file struct {
	path string
	link bool // a symbolic link
}

// sources are the configuration files of a directory, sorted. It is read once however
// often it is called.
func (ev *evaluator) sources(dir string) ([]file, error) {
	if files, ok := ev.listed[dir]; ok {
		return files, nil
	}
	entries, err := os.ReadDir(dir) // sorted
	if err != nil {
		return nil, err
	}
	var out []file
	for _, e := range entries {
		if !e.IsDir() && IsSource(e.Name()) {
			out = append(out, file{filepath.Join(dir, e.Name()), e.Type()&fs.ModeSymlink != 0})
		}
	}
	ev.listed[dir] = out
	return out, nil
}

// load parses a directory; it is parsed once however often it is called.
func (ev *evaluator) load(dir string) *module {
	if m, ok := ev.modules[dir]; ok {
		return m
	}
	m := &module{
		dir: dir, variables: map[string]*variable{}, locals: map[string]*hcl.Attribute{},
		resources: map[string]*resourceBlock{}, calls: map[string]*callBlock{},
		outputs: map[string]*outputBlock{}, providers: map[string]*providerBlock{},
		aliases: map[string]hcl.Range{}, required: map[string]hcl.Range{}, versions: map[string]string{}, checkAt: map[string]hcl.Range{},
	}
	ev.modules[dir] = m
	files, err := ev.sources(dir)
	if err != nil {
		ev.fail(nil, "Directory cannot be read", "%v.", err)
		return m
	}
	var primary, overrides []*hcl.Block
	for _, f := range files {
		path := f.path
		if f.link {
			if err := ev.project.allows(path); err != nil {
				ev.fail(nil, "File cannot be read", "%v.", err)
				continue
			}
		}
		body, ok := ev.parseFile(path)
		if !ok {
			continue
		}
		content, diags := body.Content(topLevel)
		ev.report(diags)
		if isOverride(path) {
			overrides = append(overrides, content.Blocks...)
		} else {
			primary = append(primary, content.Blocks...)
		}
	}
	locals := hcl.Attributes{}
	for _, b := range overrides {
		ev.override(primary, b, locals)
	}
	for _, b := range primary {
		m.declare(ev, b)
	}
	m.overrideLocals(ev, locals)
	m.checkRefactorings(ev)
	return m
}

// makeRoom knows the functions of providers that are not here, which a parsed body
// calls.
func (ev *evaluator) makeRoom(node hclsyntax.Node) {
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		call, ok := n.(*hclsyntax.FunctionCallExpr)
		if !ok || !strings.HasPrefix(call.Name, "provider::") {
			return nil
		}
		if _, known := ev.functions[call.Name]; !known && !funcs.Provides(call.Name) {
			ev.functions[call.Name] = funcs.Unknown(call.Name, func(call string) cty.Value {
				return unknown(cty.DynamicPseudoType, Origin{Expression: call})
			})
		}
		return nil
	})
}

func checkNesting(text, name string) error { return funcs.Nesting([]byte(text), name, false) }
