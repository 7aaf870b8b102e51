package main

import (
	"context"
	"sort"
	"sync"
	"time"
)

// timeline is when the client saw what happen to one custom resource.
type timeline struct {
	sent, acknowledged time.Time
	job                time.Time
	pod, podRunning    time.Time
	podSucceeded       time.Time
	running, succeeded time.Time
	pods, jobs         map[string]bool
}

type timelines struct {
	sync.Mutex
	byName map[string]*timeline
	// the pods that run, by name, to the name of their custom resource
	pods                                         map[string]string
	created, running, succeeded, podsThere, gone int
	allPods                                      time.Time
}

func newTimelines() *timelines {
	return &timelines{byName: map[string]*timeline{}, pods: map[string]string{}}
}

func (t *timelines) watch(ctx context.Context, a *api, o *options) error {
	selector := "bench%3D" + o.run
	err := a.watch(ctx, "api/v1/namespaces/"+o.namespace+"/pods", o.podLabel, func(_ string, pod *object, now time.Time) {
		t.podChanged(pod.Metadata.Labels[o.podLabel], pod, now)
	})
	if err == nil && o.jobsLabel != "" {
		err = a.watch(ctx, "apis/batch/v1/namespaces/"+o.namespace+"/jobs", o.jobsLabel, func(_ string, job *object, now time.Time) {
			t.jobChanged(job.Metadata.Labels[o.jobsLabel], job, now)
		})
	}
	if err == nil {
		err = a.watch(ctx, o.api+"/namespaces/"+o.namespace+"/"+o.resource, selector, t.resourceChanged)
	}
	return err
}

func (t *timelines) of(name string) *timeline {
	if t.byName[name] == nil {
		t.byName[name] = &timeline{pods: map[string]bool{}, jobs: map[string]bool{}}
	}
	return t.byName[name]
}

// first sets a time that isn't set yet, and tells whether it did.
func first(at *time.Time, now time.Time) bool {
	if !at.IsZero() {
		return false
	}
	*at = now
	return true
}

func (t *timelines) acknowledged(name string, sent, now time.Time) {
	t.Lock()
	defer t.Unlock()
	line := t.of(name)
	line.sent, line.acknowledged = sent, now
	t.created++
}

func (t *timelines) podChanged(name string, pod *object, now time.Time) {
	t.Lock()
	defer t.Unlock()
	line := t.of(name)
	line.pods[pod.Metadata.UID] = true
	if first(&line.pod, now) {
		t.podsThere++
		t.allPods = now
	}
	switch pod.Status.Phase {
	case "Running":
		first(&line.podRunning, now)
		t.pods[pod.Metadata.Name] = name
	case "Succeeded":
		first(&line.podSucceeded, now)
		delete(t.pods, pod.Metadata.Name)
	}
}

func (t *timelines) jobChanged(name string, job *object, now time.Time) {
	t.Lock()
	defer t.Unlock()
	line := t.of(name)
	line.jobs[job.Metadata.UID] = true
	first(&line.job, now)
}

func (t *timelines) resourceChanged(event string, resource *object, now time.Time) {
	t.Lock()
	defer t.Unlock()
	if event == "DELETED" {
		t.gone++
		return
	}
	line := t.of(resource.Metadata.Name)
	for _, condition := range resource.Status.Conditions {
		if condition.Status != "True" {
			continue
		}
		if condition.Type == "Running" && first(&line.running, now) {
			t.running++
		}
		if condition.Type == "Succeeded" && first(&line.succeeded, now) {
			t.succeeded++
		}
	}
}

// reached tells how many jobs are, or have been, what is asked for.
func (t *timelines) reached(what string) int {
	t.Lock()
	defer t.Unlock()
	switch what {
	case "running":
		return t.running
	case "succeeded":
		return t.succeeded
	case "gone":
		return t.gone
	}
	return 0
}

func (t *timelines) runningPods() []string {
	t.Lock()
	defer t.Unlock()
	names := make([]string, 0, len(t.pods))
	for name := range t.pods {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// latency is a distribution in seconds.
type latency struct {
	N                       int
	Min, P50, P90, P99, Max float64
}

type span struct {
	name     string
	from, to func(*timeline) time.Time
}

var spans = []span{
	{"create to acknowledged", func(l *timeline) time.Time { return l.sent }, func(l *timeline) time.Time { return l.acknowledged }},
	{"acknowledged to Job created", func(l *timeline) time.Time { return l.acknowledged }, func(l *timeline) time.Time { return l.job }},
	{"acknowledged to pod created", func(l *timeline) time.Time { return l.acknowledged }, func(l *timeline) time.Time { return l.pod }},
	{"pod created to pod Running", func(l *timeline) time.Time { return l.pod }, func(l *timeline) time.Time { return l.podRunning }},
	{"pod Running to Running in the status", func(l *timeline) time.Time { return l.podRunning }, func(l *timeline) time.Time { return l.running }},
	{"acknowledged to Running in the status", func(l *timeline) time.Time { return l.acknowledged }, func(l *timeline) time.Time { return l.running }},
	{"pod Succeeded to Succeeded in the status", func(l *timeline) time.Time { return l.podSucceeded }, func(l *timeline) time.Time { return l.succeeded }},
}

// summary returns the distribution of each span that was seen in this phase, the seconds until the last
// job had a pod, and how many jobs had more than one pod or Job.
func (t *timelines) summary(start time.Time) (map[string]latency, float64, int) {
	t.Lock()
	defer t.Unlock()
	latencies := map[string]latency{}
	for _, span := range spans {
		var seconds []float64
		for _, line := range t.byName {
			from, to := span.from(line), span.to(line)
			if from.After(start) && !to.IsZero() {
				seconds = append(seconds, to.Sub(from).Seconds())
			}
		}
		if len(seconds) > 0 {
			latencies[span.name] = distribution(seconds)
		}
	}
	several := 0
	for _, line := range t.byName {
		if len(line.pods) > 1 || len(line.jobs) > 1 {
			several++
		}
	}
	if t.allPods.Before(start) {
		return latencies, 0, several
	}
	return latencies, t.allPods.Sub(start).Seconds(), several
}

func distribution(seconds []float64) latency {
	sort.Float64s(seconds)
	at := func(part float64) float64 { return seconds[int(part*float64(len(seconds)-1)+0.5)] }
	return latency{len(seconds), at(0), at(0.5), at(0.9), at(0.99), at(1)}
}
