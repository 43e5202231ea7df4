# shellcheck shell=bash
# Certificates for the TLS tests, created with openssl in the directory of the test.

# tls_certificates: creates in the current directory
#   ca.pem, other-ca.pem         two independent CAs
#   server.pem, server.key       for localhost, 127.0.0.1 and ::1
#   client.pem, client.key       for client.example, as CN and SAN
#   expired.pem, expired.key     like server.pem, expired in 2020
#   stranger.pem, stranger.key   like client.pem, signed by other-ca.pem
tls_certificates() {
    local here=DNS:localhost,IP:127.0.0.1,IP:::1
    certificate_authority ca && certificate_authority other-ca &&
        certificate server ca localhost "$here" -days 2 &&
        certificate client ca client.example DNS:client.example -days 2 &&
        certificate stranger other-ca client.example DNS:client.example -days 2 &&
        certificate expired ca localhost "$here" \
            -startdate 20200101000000Z -enddate 20200102000000Z
}

# fingerprint FILE: prints a certificate's fingerprint in the form of --tls-peer.
fingerprint() {
    local line
    line=$(openssl x509 -in "$1" -noout -fingerprint -sha256) && echo "sha256:${line#*=}"
}

certificate_key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)

certificate_authority() {
    openssl req -x509 "${certificate_key[@]}" -keyout "$1.key" -out "$1.pem" -days 2 \
        -subj "/CN=shnek test $1" 2>/dev/null
}

# certificate NAME CA CN SAN OPTION...: the options of `openssl ca` set the validity.
certificate() {
    local name=$1 ca=$2 cn=$3 san=$4
    shift 4
    mkdir issuing && : >issuing/database && cat >issuing/conf <<END || return
[ca]
default_ca = authority
[authority]
database = issuing/database
new_certs_dir = issuing
default_md = sha256
policy = any
rand_serial = yes
x509_extensions = extensions
[any]
commonName = supplied
[extensions]
basicConstraints = CA:FALSE
subjectAltName = $san
END
    openssl req "${certificate_key[@]}" -keyout "$name.key" -out issuing/request \
        -subj "/CN=$cn" 2>/dev/null &&
        openssl ca -batch -notext -config issuing/conf -cert "$ca.pem" \
            -keyfile "$ca.key" -in issuing/request -out "$name.pem" "$@" 2>/dev/null &&
        rm -r issuing
}
