// The parts of Argo CD that a check of its sync and health needs, in one program that acts by its
// name as Argo CD's own does: without the API server, the command line and their packages. As its
// Redis, the one in memory that Argo CD's command line brings along for the same purpose.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/alicebob/miniredis/v2"
	controller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	repository "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
)

func main() {
	var err error
	switch name := filepath.Base(os.Args[0]); name {
	case "argocd-application-controller":
		err = controller.NewCommand().Execute()
	case "argocd-repo-server":
		err = repository.NewCommand().Execute()
	case "argocd-redis":
		err = redis(os.Args[1:])
	default:
		err = fmt.Errorf("%s: call this program argocd-application-controller, argocd-repo-server or argocd-redis", name)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func redis(arguments []string) error {
	if len(arguments) != 1 {
		return fmt.Errorf("usage: argocd-redis HOST:PORT")
	}
	if err := miniredis.NewMiniRedis().StartAddr(arguments[0]); err != nil {
		return err
	}
	select {}
}
