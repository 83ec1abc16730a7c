package mission

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cloister-ml/cloister/internal/devops/client"
	"github.com/cloister-ml/cloister/internal/devops/wire"
)

// mainJob runs the project's first pipeline, and waits for the one that it
// triggers.
func (u *up) mainJob(ctx context.Context) error {
	r := u.project.Run
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	http, base := u.under.daemon.DevOps()
	c := &client.Client{URL: base + "/" + u.project.DevOps.Organization, Project: u.project.DevOps.Project, Token: u.tokens.Admin, HTTP: http}
	var first wire.Build
	err := u.j.do(r.Pipeline, false, func() (said string, err error) {
		queued, err := c.Queue(ctx, r.Pipeline, wire.RunParameters{})
		if err != nil {
			return "", err
		}
		first, err = u.follow(ctx, c, queued.ID)
		return "the pipeline's run " + first.BuildNumber + " succeeded", err
	})
	if err != nil || r.Then == "" {
		return err
	}
	return u.j.do(r.Then, false, func() (string, error) {
		triggered, err := awaitTriggered(ctx, c, r.Then, first)
		if err != nil {
			return "", err
		}
		done, err := u.follow(ctx, c, triggered)
		return "the pipeline's run " + done.BuildNumber + " succeeded", err
	})
}

// follow shows a run until it is done.
func (u *up) follow(ctx context.Context, c *client.Client, id int) (wire.Build, error) {
	done, err := c.Follow(ctx, id, client.NewPrinter(u.o.Out, false))
	if err != nil {
		return done, err
	}
	if done.Result != "succeeded" {
		return done, fmt.Errorf("run %d of the pipeline %s %s: see `cloister pipelines logs %d`", id, done.Definition.Name, done.Result, id)
	}
	return done, nil
}

// triggerTime is how long the completion of one pipeline may take to start the next.
const triggerTime = 30 * time.Second

// awaitTriggered finds the run of a pipeline that another's run has triggered.
func awaitTriggered(ctx context.Context, c *client.Client, pipeline string, by wire.Build) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, triggerTime)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		builds, err := c.Builds(ctx, pipeline, 10)
		if err != nil {
			return 0, err
		}
		i := slices.IndexFunc(builds, func(b wire.Build) bool { return b.ID > by.ID && b.Reason == "resourceTrigger" })
		if i >= 0 {
			return builds[i].ID, nil
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("the run %s did not trigger the pipeline %s", by.BuildNumber, pipeline)
		case <-tick.C:
		}
	}
}
