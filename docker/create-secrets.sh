#!/bin/sh
# Creates the secrets of docker/stack.yml that are missing, and prints the two that people need: Docker never shows a secret
# again.
#   docker/create-secrets.sh
set -eu
prefix=${SECRETS_PREFIX:-swarmgate}

create() { # NAME VALUE WHAT-FOR
  if docker secret inspect "${prefix}_$1" >/dev/null 2>&1; then
    echo "${prefix}_$1 is there already"
  else
    printf %s "$2" | docker secret create "${prefix}_$1" - >/dev/null
    echo "${prefix}_$1 created${3:+: $2   ($3)}"
  fi
}

# 32 bytes in base64.
key() { head -c 32 /dev/urandom | base64 | tr -d '\n'; }

uuid() { cat /proc/sys/kernel/random/uuid 2>/dev/null || uuidgen | tr 'A-Z' 'a-z'; }

create admin_token "$(uuid)" "ADMIN_TOKEN: the proxies' and listeners' REST, and the password of Consul's UI behind a proxy"
create metrics_token "$(uuid)" ""
create consul_management_token "$(uuid)" "may everything in Consul: log in with it inside its UI"
create consul_listener_token "$(uuid)" ""
create consul_proxy_token "$(uuid)" ""
# What Consul's UI may do through a proxy (CONSUL_UI_PORT) without a token of one's own.
create consul_ui_token "$(uuid)" ""
# SECRETS_KEY of all proxies and listeners: encrypts private keys in Consul. With another one certificates are ordered again.
create secrets_key "$(key)" ""
