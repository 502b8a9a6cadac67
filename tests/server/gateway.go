// A gateway of the Go standard library, as many write one: it knows which device it talks to, tells the service so in a
// header, and passes everything else on, offers of other protocols included.
package main

import (
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
)

// Started with the service's address and, for each device, its name and the address to listen on for it.
func main() {
	service, err := url.Parse(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	for at := 2; at < len(os.Args); at += 2 {
		go listen(service, os.Args[at], os.Args[at+1])
	}
	select {}
}

func listen(service *url.URL, device string, address string) {
	proxy := httputil.NewSingleHostReverseProxy(service)
	direct := proxy.Director
	proxy.Director = func(request *http.Request) {
		direct(request)
		request.Header.Set("X-Device", device)
	}
	log.Fatal(http.ListenAndServe(address, proxy))
}
