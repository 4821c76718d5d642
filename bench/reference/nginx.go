package reference

import (
	"os"
	"path/filepath"
	"strings"
)

// Nginx says where the reference N listens and keeps its files.
type Nginx struct {
	Address string // 127.0.0.1:port
	Dir     string // for its configuration, pid and error log
	Files   string // served below /, and written to by PUT
	Disk    string // written to by PUT below /disk/
}

// conf is the configuration: static files by sendfile, no access log, as many
// workers as the machine has cores, keep-alive without limit, and WebDAV PUT.
// Temporary bodies are on the file system of their target, so that PUT ends
// with a rename and not with a copy.
const conf = `{user}daemon off;
worker_processes auto;
worker_rlimit_nofile 20000;
pid "{dir}/nginx.pid";
error_log "{dir}/error.log" crit;
events { worker_connections 16384; }
http {
	access_log off;
	sendfile on;
	tcp_nopush on;
	keepalive_requests 1000000000;
	keepalive_timeout 1h;
	client_max_body_size 0;
	default_type application/octet-stream;
	proxy_temp_path "{dir}/proxy";
	fastcgi_temp_path "{dir}/fastcgi";
	uwsgi_temp_path "{dir}/uwsgi";
	scgi_temp_path "{dir}/scgi";
	server {
		listen {address} backlog=4096;
		location / {
			root "{files}";
			client_body_temp_path "{files}/.nginx";
			dav_methods PUT;
			create_full_put_path on;
		}
		location /disk/ {
			alias "{disk}/";
			client_body_temp_path "{disk}/.nginx";
			dav_methods PUT;
			create_full_put_path on;
		}
	}
}
`

// Config writes the configuration into Dir and returns its file's name.
func (n Nginx) Config() (string, error) {
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;\n" // else workers could not read folders that are ours alone
	}
	text := strings.NewReplacer("{dir}", n.Dir, "{address}", n.Address, "{files}", n.Files, "{disk}", n.Disk, "{user}", user).Replace(conf)
	file := filepath.Join(n.Dir, "nginx.conf")
	return file, os.WriteFile(file, []byte(text), 0o600)
}
