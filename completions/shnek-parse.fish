# fish completion for shnek-parse; files are taken where nothing else is said

complete -c shnek-parse -s l -l listen -x -a tcp:// -d 'Listen on tcp://HOST:PORT'
complete -c shnek-parse -s F -l framing -x -a 'auto newline octet' -d 'How messages are told apart'
complete -c shnek-parse -l max-size -x -a '8k 64k 1M' -d 'Longest message'
complete -c shnek-parse -l oversize -x -a 'reject truncate' -d 'What to do with a longer one'
complete -c shnek-parse -l max-connections -x -a '100 1k 10k' -d 'Accept no more at a time'
complete -c shnek-parse -l meta -d 'Add "peer" and "received"'
complete -c shnek-parse -l raw -d 'Add "raw", the message as it came'
complete -c shnek-parse -l rejects -r -F -d 'Append what is rejected, as JSON lines'
complete -c shnek-parse -l stats -a '1s 10s 1m' -d 'Print counters at that interval'
complete -c shnek-parse -s q -l quiet -d 'Do not print what is rejected'
complete -c shnek-parse -s h -l help -d 'Print a summary of the options'
complete -c shnek-parse -s V -l version -d 'Print the version'
