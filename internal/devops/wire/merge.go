package wire

import (
	"cmp"
	"maps"
	"slices"
)

const maxIssues = 100 // of a record

// Merge lays what is said anew of a record over what was known of it.
func (known Record) Merge(said Record) Record {
	out := known
	out.ID = said.ID
	out.ParentID = cmp.Or(said.ParentID, known.ParentID)
	out.Type = cmp.Or(said.Type, known.Type)
	out.Name = cmp.Or(said.Name, known.Name)
	out.Identifier = cmp.Or(said.Identifier, known.Identifier)
	out.RefName = cmp.Or(said.RefName, known.RefName)
	out.StartTime = cmp.Or(said.StartTime, known.StartTime)
	out.FinishTime = cmp.Or(said.FinishTime, known.FinishTime)
	if known.State != StateCompleted { // what is done stays done
		out.State = cmp.Or(said.State, known.State)
	}
	out.Result = cmp.Or(said.Result, known.Result)
	out.ResultCode = cmp.Or(said.ResultCode, known.ResultCode)
	out.WorkerName = cmp.Or(said.WorkerName, known.WorkerName)
	out.Order = cmp.Or(said.Order, known.Order)
	out.Log = cmp.Or(said.Log, known.Log)
	out.PercentComplete = cmp.Or(said.PercentComplete, known.PercentComplete)
	out.ErrorCount = max(said.ErrorCount, known.ErrorCount)
	out.WarningCount = max(said.WarningCount, known.WarningCount)
	for _, i := range said.Issues {
		same := func(other Issue) bool { return other.Type == i.Type && other.Message == i.Message }
		if len(out.Issues) < maxIssues && !slices.ContainsFunc(out.Issues, same) {
			out.Issues = append(out.Issues, i)
		}
	}
	if len(said.Variables) > 0 {
		out.Variables = maps.Clone(known.Variables)
		if out.Variables == nil {
			out.Variables = map[string]VariableValue{}
		}
		maps.Copy(out.Variables, said.Variables)
	}
	return out
}
