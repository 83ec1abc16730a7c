package mlflow

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// fields says how the entities of one kind are searched: the SQL for an
// attribute, and for a key of metrics, params or tags.
type fields struct {
	attributes map[string]string // name -> column
	numbers    []string          // attributes that compare as numbers
	keyed      map[string]string // entity -> SELECT of the value of one key, with a ? for it
}

var experimentFields = fields{
	attributes: map[string]string{"name": "name", "creation_time": "created", "last_update_time": "updated", "experiment_id": "id"},
	numbers:    []string{"creation_time", "last_update_time", "experiment_id"},
	keyed:      map[string]string{"tags": "SELECT value FROM experiment_tags t WHERE t.experiment = experiments.id AND t.key = ?"},
}

var runFields = fields{
	attributes: map[string]string{
		"run_id": "id", "run_name": "name", "status": "status", "user_id": "user",
		"start_time": "started", "end_time": "ended", "created": "started",
	},
	numbers: []string{"start_time", "end_time", "created"},
	keyed: map[string]string{
		"metrics": "SELECT value FROM metrics m WHERE m.run = runs.id AND m.key = ? ORDER BY step DESC, timestamp DESC, value DESC LIMIT 1",
		"params":  "SELECT value FROM params p WHERE p.run = runs.id AND p.key = ?",
		"tags":    "SELECT value FROM tags t WHERE t.run = runs.id AND t.key = ?",
	},
}

var modelFields = fields{
	attributes: map[string]string{"name": "name", "creation_timestamp": "created", "last_updated_timestamp": "updated"},
	numbers:    []string{"creation_timestamp", "last_updated_timestamp"},
	keyed:      map[string]string{"tags": "SELECT value FROM model_tags t WHERE t.model = models.name AND t.key = ?"},
}

var versionFields = fields{
	attributes: map[string]string{
		"name": "model", "version_number": "version", "version": "version", "run_id": "run", "source_path": "source",
		"creation_timestamp": "created", "last_updated_timestamp": "updated",
	},
	numbers: []string{"version_number", "version", "creation_timestamp", "last_updated_timestamp"},
	keyed:   map[string]string{"tags": "SELECT value FROM version_tags t WHERE t.model = versions.model AND t.version = versions.version AND t.key = ?"},
}

// query is a condition and an order, with the arguments of both in that order.
type query struct {
	where []string
	args  []any
	order string
}

// tail is the end of a SELECT.
func (q query) tail(limit, offset int) string {
	where := ""
	if len(q.where) > 0 {
		where = "WHERE " + strings.Join(q.where, " AND ")
	}
	return fmt.Sprintf("%s ORDER BY %s LIMIT %d OFFSET %d", where, q.order, limit, offset)
}

// also adds a condition in front, before the arguments of the order.
func (q *query) also(condition string, args ...any) {
	q.where = append([]string{condition}, q.where...)
	q.args = append(slices.Clone(args), q.args...)
}

// stage keeps what the view type asks for.
func (q *query) stage(view string) {
	switch view {
	case "DELETED_ONLY":
		q.also("stage = 'deleted'")
	case "ALL":
	default:
		q.also("stage = 'active'")
	}
}

// clause is one comparison of a filter: [entity.]key OP value. A key may be
// quoted with " or `; values are strings in quotes, numbers, or a list for IN.
var clause = regexp.MustCompile("^\\s*(?:([a-zA-Z_]+)\\.)?(\"[^\"]+\"|`[^`]+`|[\\w./-]+)\\s*(!=|<=|>=|=|<|>|(?i:LIKE)\\b|(?i:ILIKE)\\b|(?i:NOT\\s+IN)\\b|(?i:IN)\\b)\\s*" +
	`('[^']*'|"[^"]*"|\([^)]*\)|[-+\w.]+)`)

var and = regexp.MustCompile(`^\s+(?i:AND)\s`)

// query reads a filter and an order as MLflow writes them.
func (f fields) query(filter string, order []string, def string) (query, error) {
	q := query{order: def}
	for rest := filter; strings.TrimSpace(rest) != ""; {
		m := clause.FindStringSubmatch(rest)
		if m == nil {
			return query{}, invalid("the filter %q cannot be read at %q", filter, strings.TrimSpace(rest))
		}
		if err := f.compare(&q, m[1], unquote(m[2]), strings.ToUpper(m[3]), m[4]); err != nil {
			return query{}, err
		}
		rest = rest[len(m[0]):]
		if strings.TrimSpace(rest) == "" {
			break
		}
		joint := and.FindString(rest)
		if joint == "" {
			return query{}, invalid("the filter %q joins by AND only, and goes on with %q", filter, strings.TrimSpace(rest))
		}
		rest = rest[len(joint):]
	}
	return q, f.sort(&q, order)
}

func unquote(s string) string {
	if len(s) >= 2 && strings.ContainsRune("\"'`", rune(s[0])) && s[0] == s[len(s)-1] {
		return s[1 : len(s)-1]
	}
	return s
}

// entityNames are the other names that MLflow takes for the kinds of fields.
var entityNames = map[string]string{
	"": "attributes", "attribute": "attributes", "attr": "attributes", "run": "attributes",
	"metric": "metrics", "param": "params", "parameter": "params", "parameters": "params", "tag": "tags",
}

// column is the SQL of a field, its argument if it has one, and whether it is a number.
func (f fields) column(entity, key string) (sql string, args []any, numeric bool, err error) {
	entity = strings.ToLower(entity)
	if full, ok := entityNames[entity]; ok {
		entity = full
	}
	if sub, ok := f.keyed[entity]; ok {
		return "(" + sub + ")", []any{key}, entity == "metrics", nil
	}
	if entity == "attributes" {
		if col, ok := f.attributes[strings.ToLower(key)]; ok {
			return col, nil, slices.Contains(f.numbers, strings.ToLower(key)), nil
		}
	}
	return "", nil, false, invalid("there is no field %s.%s to search by", entity, key)
}

func (f fields) compare(q *query, entity, key, op, literal string) error {
	col, args, numeric, err := f.column(entity, key)
	if err != nil {
		return err
	}
	switch op {
	case "LIKE", "ILIKE":
		if numeric {
			return invalid("%s compares text, and %s is a number", op, key)
		}
		if op == "ILIKE" {
			q.where = append(q.where, "lower("+col+") LIKE lower(?)")
		} else {
			q.where = append(q.where, col+" GLOB ?")
			literal = "'" + globOf(unquote(literal)) + "'"
		}
		q.args = append(append(q.args, args...), unquote(literal))
		return nil
	case "IN":
	default:
		if strings.HasPrefix(op, "NOT") {
			op = "NOT IN"
		}
	}
	if strings.HasSuffix(op, "IN") {
		return inList(q, col, args, op, literal)
	}
	var value any = unquote(literal)
	if numeric {
		n, err := strconv.ParseFloat(unquote(literal), 64)
		if err != nil {
			return invalid("%s is a number, and is compared with %s", key, literal)
		}
		value = n
	}
	q.where = append(q.where, col+" "+op+" ?")
	q.args = append(append(q.args, args...), value)
	return nil
}

func inList(q *query, col string, args []any, op, literal string) error {
	if !strings.HasPrefix(literal, "(") {
		return invalid("IN wants a list in parentheses, and has %s", literal)
	}
	q.args = append(q.args, args...)
	var marks []string
	for _, item := range strings.Split(strings.Trim(literal, "()"), ",") {
		marks = append(marks, "?")
		q.args = append(q.args, unquote(strings.TrimSpace(item)))
	}
	q.where = append(q.where, col+" "+op+" ("+strings.Join(marks, ", ")+")")
	return nil
}

// globOf is the GLOB pattern, which minds case, of a LIKE pattern.
func globOf(like string) string {
	return strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]", "%", "*", "_", "?").Replace(like)
}

var ordering = regexp.MustCompile("^\\s*(?:([a-zA-Z_]+)\\.)?(\"[^\"]+\"|`[^`]+`|[\\w./-]+)(?:\\s+(?i:(ASC|DESC)))?\\s*$")

// sort reads order_by; entities without the field come last, either way.
func (f fields) sort(q *query, order []string) error {
	var terms []string
	for _, o := range order {
		m := ordering.FindStringSubmatch(o)
		if m == nil {
			return invalid("the order %q cannot be read", o)
		}
		col, args, _, err := f.column(m[1], unquote(m[2]))
		if err != nil {
			return err
		}
		terms = append(terms, col+" IS NULL", col+" "+strings.ToUpper(m[3]))
		q.args = append(append(q.args, args...), args...) // each term has the column once
	}
	if len(terms) > 0 {
		q.order = strings.Join(terms, ", ") + ", " + q.order
	}
	return nil
}
