# fish completion for shnek-pub

# The names of the contexts of the nats CLI.
function __shnek_pub_contexts
    set -l config ~/.config
    set -q XDG_CONFIG_HOME; and set config $XDG_CONFIG_HOME
    set -l files $config/nats/context/*.json
    string replace -r '.*/(.*)\.json$' '$1' -- $files
end

complete -c shnek-pub -f
complete -c shnek-pub -s s -l server -x -a 'nats:// tls://' -d 'Connect to a server'
complete -c shnek-pub -l context -x -a '(__shnek_pub_contexts)' -d 'Use a context of the nats CLI, or a file'
complete -c shnek-pub -l no-context -d 'Use no context'
complete -c shnek-pub -l user -x -d 'Log in as a user'
complete -c shnek-pub -l password -x -d 'Set the password of the user'
complete -c shnek-pub -l token -x -d 'Log in with a token'
complete -c shnek-pub -l creds -r -F -d 'Log in with a credentials file'
complete -c shnek-pub -l nkey -r -F -d 'Log in with an nkey seed from a file'
complete -c shnek-pub -l tlscert -r -F -d 'Present a client certificate from a file'
complete -c shnek-pub -l tlskey -r -F -d 'Read its private key from a file'
complete -c shnek-pub -l tlsca -r -F -d 'Trust the CA certificates in a file'
complete -c shnek-pub -l connection-name -x -d 'Set the name by which the server lists the connection'
complete -c shnek-pub -l timeout -x -a '1s 5s 30s 1m' -d 'Limit one attempt to connect'
complete -c shnek-pub -l connect-timeout -x -a '1s 5s 30s 1m' -d 'Exit if no server can be reached within this time'
complete -c shnek-pub -l max-reconnect-time -x -a '1s 5s 30s 1m' -d 'Exit if reconnecting fails for this time'
complete -c shnek-pub -l ping-interval -x -a '1s 5s 30s 1m' -d 'Send a PING to the server at this interval'
complete -c shnek-pub -l window -x -a '16M 64M 1G' -d 'Limit the bytes that are read but not confirmed'
complete -c shnek-pub -l spool -r -F -d 'Keep the window in a file'
complete -c shnek-pub -l spool-sync -x -a '1s 5s 30s 1m' -d 'Force the spool to disk at this interval'
complete -c shnek-pub -l spool-list -d 'Print the unconfirmed lines of the spool'
complete -c shnek-pub -l spill -r -F -d 'Append unconfirmed lines to a file on exit'
complete -c shnek-pub -l at-most-once -d 'Never resend a message'
complete -c shnek-pub -l shutdown-timeout -x -a '5s 20s 1m' -d 'Stop draining after this time'
complete -c shnek-pub -s J -l jetstream -d 'Publish to a JetStream stream'
complete -c shnek-pub -l js-domain -x -d 'Use JetStream in a domain'
complete -c shnek-pub -l js-api-prefix -x -d 'Use the JetStream API with a prefix'
complete -c shnek-pub -l inbox-prefix -x -d 'Receive replies with a prefix'
complete -c shnek-pub -l stream -x -d 'Require that this stream stores the messages'
complete -c shnek-pub -l create-stream -a "'logs.>'" -d 'Create the stream if it does not exist'
complete -c shnek-pub -l subjects -x -a "'logs.>'" -d 'Set the subjects of a created stream'
complete -c shnek-pub -l replicas -x -a '1 3 5' -d 'Set the number of replicas of a created stream'
complete -c shnek-pub -l storage -x -a 'file memory' -d 'Set the storage of a created stream'
complete -c shnek-pub -l retention -x -a 'limits interest workqueue' -d 'Set which messages a created stream keeps'
complete -c shnek-pub -l discard -x -a 'old new' -d 'Set what a created stream discards if it is full'
complete -c shnek-pub -l max-age -x -a '1h 24h 1w' -d 'Set how long a created stream keeps messages'
complete -c shnek-pub -l max-bytes -x -a '16M 64M 1G' -d 'Set how many bytes a created stream keeps'
complete -c shnek-pub -l max-msgs -x -a '100k 1M' -d 'Set how many messages a created stream keeps'
complete -c shnek-pub -l max-msg-size -x -a '64k 1M' -d 'Set the largest message of a created stream'
complete -c shnek-pub -l dupe-window -x -a '1h 24h 1w' -d 'Set the duplicate window of a created stream'
complete -c shnek-pub -l stream-config -r -F -d 'Create the stream with the settings in a file'
complete -c shnek-pub -l msg-id -x -a 'auto hash' -d 'Set the Nats-Msg-Id header of each message'
complete -c shnek-pub -l no-check -d 'Do not check that the input is JSON'
complete -c shnek-pub -s n -l dry-run -d 'Print subject, tab and payload; do not connect'
complete -c shnek-pub -l rejects -r -F -d 'Append rejected lines to a file as JSON lines'
complete -c shnek-pub -l stats -a '1s 10s 1m' -d 'Print counters periodically'
complete -c shnek-pub -s q -l quiet -d 'Do not report rejected lines'
complete -c shnek-pub -s h -l help -d 'Print a summary of the options'
complete -c shnek-pub -s V -l version -d 'Print the version'
