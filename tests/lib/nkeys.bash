# shellcheck shell=bash
# NATS keys: base32 of a prefix, 32 bytes and a CRC-16 (XMODEM, low byte first)

# nkey_text HEX
nkey_text() {
    local hex=$1 crc=0 i j bytes=
    for ((i = 0; i < ${#hex}; i += 2)); do
        ((crc ^= 16#${hex:i:2} << 8, 1))
        for ((j = 0; j < 8; j++)); do
            ((crc = (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1) & 0xffff, 1))
        done
        bytes+="\\x${hex:i:2}"
    done
    printf -v crc '\\x%02x\\x%02x' $((crc & 255)) $((crc >> 8))
    printf %b "$bytes$crc" | base32 -w 0 | tr -d =
}

last_32_bytes() {
    tail -c 32 | od -An -v -tx1 | tr -d ' \n'
}

# nkey NAME KIND: creates NAME.pem, NAME.seed and NAME.public. KIND: 20 user, 0 account, 14 operator.
nkey() {
    local kind=$(($2 << 3)) prefix
    openssl genpkey -algorithm ed25519 -out "$1.pem"
    printf -v prefix '%02x%02x' $((0x90 | kind >> 5)) $(((kind & 31) << 3))
    nkey_text "$prefix$(openssl pkey -in "$1.pem" -outform DER | last_32_bytes)" >"$1.seed"
    printf -v prefix '%02x' "$kind"
    nkey_text "$prefix$(openssl pkey -in "$1.pem" -pubout -outform DER | last_32_bytes)" >"$1.public"
}

base64url() {
    openssl base64 -A | tr '+/' '-_' | tr -d =
}

# jwt ISSUER SUBJECT CLAIMS: creates SUBJECT.jwt, signed with ISSUER's key.
jwt() {
    printf '{"typ":"JWT","alg":"ed25519-nkey"}' | base64url >"$2.unsigned"
    printf . >>"$2.unsigned"
    printf '{"jti":"0","iat":1700000000,"iss":"%s","name":"%s","sub":"%s","nats":{"version":2,%s}}' \
        "$(<"$1.public")" "$2" "$(<"$2.public")" "$3" | base64url >>"$2.unsigned"
    openssl pkeyutl -sign -rawin -inkey "$1.pem" -in "$2.unsigned" -out "$2.signature"
    printf '%s.%s' "$(<"$2.unsigned")" "$(base64url <"$2.signature")" >"$2.jwt"
}
