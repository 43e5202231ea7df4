# fish completion for spamlog

set -l facilities kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit \
    alert clockd local0 local1 local2 local3 local4 local5 local6 local7
set -l severities emerg alert crit err warning notice info debug
set -l priorities $facilities.$severities

complete -c spamlog -f -n 'not __fish_contains_opt verify' -a 'tcp:// tls:// udp:// unix: unixgram:'
complete -c spamlog -F -n '__fish_contains_opt verify'
complete -c spamlog -s r -l rate -x -a 'max 1 100 1k 1M' -d 'Messages a second, N/DURATION, A..B/DURATION or max'
complete -c spamlog -l burst -x -a '10/1s 1k/10s' -d 'So many at once, again and again'
complete -c spamlog -l arrivals -x -a 'even poisson' -d 'How messages follow one another'
complete -c spamlog -s n -l count -x -a '1 100 1k 1M' -d 'Stop after that many'
complete -c spamlog -s d -l duration -x -a '1s 10s 1m 1h' -d 'Stop after that time'
complete -c spamlog -s c -l connections -x -a '1 10 100' -d 'Share the messages among that many'
complete -c spamlog -l idle-connections -x -a '1 10 100' -d 'Connections besides that are silent'
complete -c spamlog -l reconnect-every -x -a '1 100 10k' -d 'Messages of a connection'
complete -c spamlog -l slow -x -a '10/s 1k/s' -d 'Bytes a second of a connection'
complete -c spamlog -s f -l format -x -a 'rfc5424 rfc3164' -d 'What a message looks like'
complete -c spamlog -s F -l framing -x -a 'newline octet' -d 'How messages are told apart'
complete -c spamlog -s m -l message -x -d MSG
complete -c spamlog -l size -x -a '100 1k 64k' -d 'Make messages of that many bytes'
complete -c spamlog -l sizes -x -a '100..1k 64..64k' -d 'Draw them by chance'
complete -c spamlog -l seed -x -d 'Draw the same again'
complete -c spamlog -s p -l priority -x -a "$priorities" -d 'A number or FACILITY.SEVERITY'
complete -c spamlog -l profile -r -F -a 'plain mixed' -d 'What messages look like'
complete -c spamlog -l fresh -x -a 'time host counter' -d 'What of its lines is made anew'
complete -c spamlog -l bad -x -a '1% 10%:pri,sd 100%:utf8' -d 'How many are bad, and in which ways'
complete -c spamlog -l hostname -x -d HOSTNAME
complete -c spamlog -l appname -x -d APP-NAME
complete -c spamlog -l procid -x -d PROCID
complete -c spamlog -l msgid -x -d MSGID
complete -c spamlog -l sd -x -d STRUCTURED-DATA
complete -c spamlog -l timestamp -x -d TIMESTAMP
complete -c spamlog -l tls-cert -r -F -d 'Our certificate'
complete -c spamlog -l tls-key -r -F -d 'Its private key'
complete -c spamlog -l tls-ca -r -F -d "Who signed the receiver's certificate"
complete -c spamlog -l tls-peer -x -a sha256: -d "Whom the receiver's certificate names"
complete -c spamlog -l checksum -d 'Add a checksum to each message'
complete -c spamlog -l run -x -d 'Name of the run in it'
complete -c spamlog -l verify -d 'Read messages back and report'
complete -c spamlog -l expect -x -a '1 100 1k 1M' -d 'There are that many'
complete -c spamlog -l idle -x -a '1s 10s 1m' -d 'Stop after such a silence'
complete -c spamlog -l find-max -d 'Find the highest rate that holds'
complete -c spamlog -l latency -x -a '1ms 10ms 100ms' -d 'What p99 may be there'
complete -c spamlog -l csv -r -F -d 'Write a row for each interval'
complete -c spamlog -l json -a '(__fish_complete_suffix .json)' -d 'Write the report as JSON'
complete -c spamlog -l plot -r -F -d 'Draw rate and lag or latency'
complete -c spamlog -l hgrm -r -F -d 'Write the percentiles of latency'
complete -c spamlog -l stats -a '1s 10s 1m' -d 'Print counters at that interval'
complete -c spamlog -s q -l quiet -d 'No report at the end'
complete -c spamlog -s h -l help -d 'Print a summary of the options'
complete -c spamlog -s V -l version -d 'Print the version'
