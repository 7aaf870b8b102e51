package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// requests counts audited requests by "user verb resource", with the code where it was an error.
type requests map[string]int

var writeVerbs = map[string]bool{"create": true, "update": true, "patch": true, "delete": true, "deletecollection": true}

// writes is the number of a user's requests that change something, without the renewals of leases: they
// keep leadership and nodes alive, whatever the number of jobs.
func (r requests) writes(user string) int {
	sum := 0
	for key, count := range r {
		fields := strings.Fields(key)
		if user != "" && fields[0] == shortUser(user) && writeVerbs[fields[1]] && fields[2] != "leases" {
			sum += count
		}
	}
	return sum
}

func auditSize(file string) (int64, error) {
	if file == "" {
		return 0, nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func countRequests(file string, from int64) (requests, error) {
	counts := requests{}
	if file == "" {
		return counts, nil
	}
	log, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	if _, err := log.Seek(from, io.SeekStart); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(log)
	lines.Buffer(make([]byte, 1<<20), 16<<20)
	for lines.Scan() {
		var event struct {
			Verb           string
			User           struct{ Username string }
			ObjectRef      struct{ Resource, Subresource string }
			ResponseStatus struct{ Code int }
		}
		if json.Unmarshal(lines.Bytes(), &event) != nil {
			continue // the last line may still be being written
		}
		resource := event.ObjectRef.Resource
		if event.ObjectRef.Subresource != "" {
			resource += "/" + event.ObjectRef.Subresource
		}
		key := shortUser(event.User.Username) + " " + event.Verb + " " + resource
		if event.ResponseStatus.Code >= 300 {
			key += fmt.Sprintf(" %d", event.ResponseStatus.Code)
		}
		counts[key]++
	}
	return counts, lines.Err()
}

// shortUser leaves system:serviceaccount:kube-system:job-controller its last part.
func shortUser(user string) string {
	return user[strings.LastIndexByte(user, ':')+1:]
}
