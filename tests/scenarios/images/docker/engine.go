// A very small client of the Engine API, for the scenarios with add_docker.
//
//	engine ping                  prints what the engine answers
//	engine commit NAME           makes the image NAME of the image this container was made of
//	engine run IMAGE WORD...     runs a container and prints how it ended
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
)

func main() {
	host := strings.TrimPrefix(os.Getenv("DOCKER_HOST"), "unix://")
	transport := &http.Transport{Dial: func(string, string) (net.Conn, error) {
		return net.Dial("unix", host)
	}}
	client := engine{&http.Client{Transport: transport}}
	switch os.Args[1] {
	case "ping":
		fmt.Println(string(client.call("GET", "/_ping", nil)))
	case "commit":
		name, err := os.Hostname()
		check(err)
		client.call("POST", "/commit?container="+name+"&repo="+os.Args[2]+"&tag=latest", nil)
		fmt.Println("made", os.Args[2])
	case "run":
		client.run(os.Args[2], os.Args[3:])
	}
}

type engine struct{ *http.Client }

func (client engine) run(image string, words []string) {
	var made struct{ Id string }
	asked, err := json.Marshal(map[string]any{"Image": image, "Entrypoint": words})
	check(err)
	check(json.Unmarshal(client.call("POST", "/containers/create", asked), &made))
	defer client.call("DELETE", "/containers/"+made.Id+"?force=1&v=1", nil)
	client.call("POST", "/containers/"+made.Id+"/start", nil)
	var ended struct{ StatusCode int }
	check(json.Unmarshal(client.call("POST", "/containers/"+made.Id+"/wait", nil), &ended))
	fmt.Println("a container inside exited with", ended.StatusCode)
}

func (client engine) call(method, path string, body []byte) []byte {
	request, err := http.NewRequest(method, "http://engine"+path, bytes.NewReader(body))
	check(err)
	request.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(request)
	check(err)
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	check(err)
	if answer.StatusCode >= 400 {
		check(fmt.Errorf("%s %s: %s", method, path, said))
	}
	return said
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
