// A registry in memory, for tests of what registries do differently: with or without the referrers API, and with tags
// that can't be changed. The work is done by cuelabs.dev/go/oci/ociregistry, which has no program of its own.
package main

import (
	"flag"
	"log"
	"net/http"
	"time"

	"cuelabs.dev/go/oci/ociregistry"
	"cuelabs.dev/go/oci/ociregistry/ocifilter"
	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
)

func main() {
	address := flag.String("address", "127.0.0.1:0", "where it listens")
	referrers := flag.Bool("referrers", true, "whether it has the referrers API")
	immutable := flag.Bool("immutable", false, "whether a tag stays as it was first set, and nothing can be deleted")
	flag.Parse()

	var store ociregistry.Interface = ocimem.New()
	if *immutable {
		store = ocifilter.Immutable(store)
	}
	server := &http.Server{
		Addr:              *address,
		Handler:           ociserver.New(store, &ociserver.Options{DisableReferrersAPI: !*referrers}),
		ReadHeaderTimeout: 10 * time.Second,
	}
	log.Fatal(server.ListenAndServe())
}
