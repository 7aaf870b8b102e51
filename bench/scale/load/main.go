// load applies N custom resources at once, watches what becomes of them, samples the processes that
// do the work and counts their requests in the API server's audit log.
//
// One call is one phase: it prints a summary and appends one JSON line to -out. `load table` makes
// the Markdown of docs/performance.md of these lines, and `load trainers` answers for the trainers
// of simulated pods. Nothing but the standard library, so that it costs the machine that it
// measures as little as can be.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"
)

type options struct {
	kubeconfig, namespace       string
	api, resource, podLabel     string
	jobsLabel                   string
	container, message          string
	template, run, phase, side  string
	until                       string
	n, workers, first           int
	timeout, length, trailing   time.Duration
	audit, processes, out, user string
}

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("usage: load create|complete|idle|delete|table|trainers [flags]"))
	}
	mode, arguments := os.Args[1], os.Args[2:]
	switch mode {
	case "table":
		fail(table(os.Stdout, arguments))
	case "trainers":
		fail(serveTrainers(arguments))
	case "create", "complete", "idle", "delete":
		fail(run(mode, parse(mode, arguments)))
	default:
		fail(fmt.Errorf("there is no command %q", mode))
	}
}

func parse(mode string, arguments []string) *options {
	o := &options{}
	f := flag.NewFlagSet(mode, flag.ExitOnError)
	f.StringVar(&o.kubeconfig, "kubeconfig", os.Getenv("KUBECONFIG"), "kubeconfig with inline certificates")
	f.StringVar(&o.namespace, "namespace", "default", "namespace of the jobs")
	f.StringVar(&o.api, "api", "", "path of the API group, such as apis/finetune.dev/v1alpha1")
	f.StringVar(&o.resource, "resource", "", "plural of the custom resource")
	f.StringVar(&o.podLabel, "pod-label", "", "label of a pod that names its custom resource")
	f.StringVar(&o.jobsLabel, "jobs-label", "", "label of a batch/v1 Job that names its custom resource; empty: there are none")
	f.StringVar(&o.container, "container", "", "name of the container in the pods")
	f.StringVar(&o.message, "message", "", "file with the termination message of a pod that succeeds")
	f.StringVar(&o.template, "template", "", "JSON of the custom resource, with NAME and RUN as place holders")
	f.StringVar(&o.run, "run", "r", "prefix of the names, and value of the label bench")
	f.StringVar(&o.phase, "phase", mode, "name of the phase in the results")
	f.StringVar(&o.side, "side", "", "what is measured, a column of the table")
	f.StringVar(&o.until, "until", "running", "what all jobs must reach: running or succeeded")
	f.IntVar(&o.n, "n", 100, "number of jobs")
	f.IntVar(&o.first, "first", 0, "number in the name of the first job")
	f.IntVar(&o.workers, "workers", 32, "requests at a time")
	f.DurationVar(&o.timeout, "timeout", 10*time.Minute, "longest time for the phase")
	f.DurationVar(&o.trailing, "trailing", 3*time.Second, "how long after a phase requests still count as its own: what the operator writes later, such as Events, and what is yet to be logged")
	f.DurationVar(&o.length, "length", time.Minute, "length of an idle phase")
	f.StringVar(&o.audit, "audit", "", "audit log of the API server")
	f.StringVar(&o.user, "user", "", "user name of the operator in the audit log")
	f.StringVar(&o.processes, "processes", "", "name=pid,... to sample; the operator first")
	f.StringVar(&o.out, "out", "", "file that gets the phase's results, one line of JSON")
	_ = f.Parse(arguments)
	return o
}

// run measures one phase.
func run(mode string, o *options) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	api, err := connect(o.kubeconfig)
	if err != nil {
		return err
	}
	before, err := auditSize(o.audit)
	if err != nil {
		return err
	}
	jobs := newTimelines()
	if mode != "idle" {
		if err := jobs.watch(ctx, api, o); err != nil {
			return err
		}
	}
	processes, err := sampleProcesses(ctx, o.processes)
	if err != nil {
		return err
	}
	result := &result{Side: o.side, Phase: o.phase, Mode: mode, N: o.n, Start: time.Now().UTC(), Load: loadAverage()}
	phase := phase{api: api, options: o, jobs: jobs}
	result.TimedOut = phase.do(ctx, mode)
	result.WallSeconds = time.Since(result.Start).Seconds()
	result.ClientSeconds, result.Errors = phase.clientSeconds, phase.errors.Load()
	if mode != "idle" {
		time.Sleep(o.trailing)
	}
	result.Processes = processes.end()
	result.Latencies, result.Pods, result.JobsWithSeveralPods = jobs.summary(result.Start)
	if result.Requests, err = countRequests(o.audit, before); err != nil {
		return err
	}
	result.OperatorWrites = result.Requests.writes(o.user)
	result.print(os.Stdout)
	if err := result.append(o.out); err != nil {
		return err
	}
	if result.TimedOut {
		return fmt.Errorf("phase %s: not all jobs were %s after %s", o.phase, o.until, o.timeout)
	}
	return nil
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}
