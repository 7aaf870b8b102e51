package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"time"
)

const userAgent = "load/1"

// api is one connection to an API server, as whom the kubeconfig's client certificate says.
type api struct {
	server string
	http   *http.Client
}

// object is the part of a Kubernetes object that is looked at.
type object struct {
	Metadata struct {
		Name, UID, ResourceVersion string
		Labels                     map[string]string
	}
	Spec   struct{ NodeName string }
	Status struct {
		Phase      string
		Conditions []struct{ Type, Status string }
	}
}

func connect(kubeconfig string) (*api, error) {
	text, err := os.ReadFile(kubeconfig)
	if err != nil {
		return nil, err
	}
	field := func(name string) string {
		match := regexp.MustCompile(`(?m)^\s*` + name + `:\s*"?([^"\s]+)`).FindSubmatch(text)
		if match == nil {
			err = fmt.Errorf("%s has no %s", kubeconfig, name)
			return ""
		}
		return string(match[1])
	}
	decoded := func(name string) []byte {
		bytes, _ := base64.StdEncoding.DecodeString(field(name))
		return bytes
	}
	server := field("server")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(decoded("certificate-authority-data"))
	certificate, pairErr := tls.X509KeyPair(decoded("client-certificate-data"), decoded("client-key-data"))
	if err != nil || pairErr != nil {
		return nil, fmt.Errorf("%s: %v %v", kubeconfig, err, pairErr)
	}
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{certificate}},
		ForceAttemptHTTP2: true,
	}
	return &api{server: server, http: &http.Client{Transport: transport}}, nil
}

// send returns the answer's body, and an error where its code isn't 2xx.
func (a *api) send(ctx context.Context, method, path, contentType string, body []byte) ([]byte, error) {
	answer, err := a.open(ctx, method, path, contentType, body)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, text)
	}
	return text, err
}

func (a *api) open(ctx context.Context, method, path, contentType string, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, a.server+"/"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", userAgent)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	return a.http.Do(request)
}

// watch lists, and then follows every change in a goroutine until ctx ends.
func (a *api) watch(ctx context.Context, path, selector string, changed func(string, *object, time.Time)) error {
	text, err := a.send(ctx, "GET", path+"?labelSelector="+selector, "", nil)
	if err != nil {
		return err
	}
	var list struct {
		Metadata struct{ ResourceVersion string }
		Items    []object
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	for i := range list.Items {
		changed("ADDED", &list.Items[i], time.Now())
	}
	go a.follow(ctx, path+"?watch=1&allowWatchBookmarks=true&labelSelector="+selector, list.Metadata.ResourceVersion, changed)
	return nil
}

func (a *api) follow(ctx context.Context, path, version string, changed func(string, *object, time.Time)) {
	for ctx.Err() == nil {
		answer, err := a.open(ctx, "GET", path+"&resourceVersion="+version, "", nil)
		if err != nil {
			time.Sleep(200 * time.Millisecond)
			continue
		}
		events := json.NewDecoder(bufio.NewReaderSize(answer.Body, 1<<20))
		for {
			var event struct {
				Type   string
				Object object
			}
			if events.Decode(&event) != nil {
				break
			}
			if event.Object.Metadata.ResourceVersion != "" {
				version = event.Object.Metadata.ResourceVersion
			}
			if event.Type != "BOOKMARK" && event.Type != "ERROR" {
				changed(event.Type, &event.Object, time.Now())
			}
		}
		answer.Body.Close()
	}
}
