package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

type phase struct {
	api           *api
	options       *options
	jobs          *timelines
	clientSeconds float64
	errors        atomic.Int64
}

// do returns whether the time was over before the phase was.
func (p *phase) do(ctx context.Context, mode string) bool {
	o := p.options
	switch mode {
	case "idle":
		time.Sleep(o.length)
		return false
	case "create":
		template, err := os.ReadFile(o.template)
		fail(err)
		go p.each(p.names(), func(name string) error { return p.create(ctx, template, name) })
		return p.await(o.until)
	case "complete":
		message := p.terminationMessage()
		go p.each(p.jobs.runningPods(), func(pod string) error { return p.succeed(ctx, pod, message) })
		return p.await("succeeded")
	default:
		go p.each(p.names(), func(name string) error {
			_, err := p.api.send(ctx, "DELETE", p.path()+"/"+name+"?propagationPolicy=Background", "", nil)
			return err
		})
		return p.await("gone")
	}
}

func (p *phase) path() string {
	return p.options.api + "/namespaces/" + p.options.namespace + "/" + p.options.resource
}

func (p *phase) names() []string {
	names := make([]string, p.options.n)
	for i := range names {
		names[i] = fmt.Sprintf("%s-%04d", p.options.run, p.options.first+i)
	}
	return names
}

// each calls action for all names, several at a time, and prints the first errors.
func (p *phase) each(names []string, action func(string) error) {
	start := time.Now()
	queue := make(chan string)
	var workers sync.WaitGroup
	for range p.options.workers {
		workers.Go(func() {
			for name := range queue {
				if err := action(name); err != nil && p.errors.Add(1) < 4 {
					fmt.Fprintln(os.Stderr, "load:", err)
				}
			}
		})
	}
	for _, name := range names {
		queue <- name
	}
	close(queue)
	workers.Wait()
	p.clientSeconds = time.Since(start).Seconds()
}

func (p *phase) create(ctx context.Context, template []byte, name string) error {
	body := bytes.ReplaceAll(template, []byte("NAME"), []byte(name))
	body = bytes.ReplaceAll(body, []byte("RUN"), []byte(p.options.run))
	sent := time.Now()
	_, err := p.api.send(ctx, "POST", p.path(), "application/json", body)
	if err == nil {
		p.jobs.acknowledged(name, sent, time.Now())
	}
	return err
}

func (p *phase) terminationMessage() string {
	if p.options.message == "" {
		return ""
	}
	text, err := os.ReadFile(p.options.message)
	fail(err)
	return string(bytes.TrimSpace(text))
}

// succeed writes what a kubelet writes when a pod's only container ends well.
func (p *phase) succeed(ctx context.Context, pod, message string) error {
	now := time.Now().UTC().Format(time.RFC3339)
	terminated := map[string]any{"exitCode": 0, "reason": "Completed", "message": message, "startedAt": now, "finishedAt": now}
	container := map[string]any{
		"name": p.options.container, "image": "localhost/none:1", "imageID": "", "ready": false, "started": false, "restartCount": 0,
		"state": map[string]any{"running": nil, "terminated": terminated},
	}
	status := map[string]any{"phase": "Succeeded", "containerStatuses": []any{container}}
	body, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return err
	}
	path := "api/v1/namespaces/" + p.options.namespace + "/pods/" + pod + "/status"
	_, err = p.api.send(ctx, "PATCH", path, "application/strategic-merge-patch+json", body)
	return err
}

// await returns whether the time was over before all jobs had reached the state.
func (p *phase) await(state string) bool {
	end := time.Now().Add(p.options.timeout)
	for p.jobs.reached(state) < p.options.n {
		if time.Now().After(end) {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}
