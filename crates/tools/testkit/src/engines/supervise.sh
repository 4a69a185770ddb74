# Ends a server when the test that started it lets go of our standard input.
#
# Arguments: the server's folder, the signal of an orderly stop, the signal that ends at once, other files
# to remove (one word, separated by spaces), and then the server's command line.
#
# "stop" on standard input is an orderly stop, "kill" ends the server at once; both keep the folder. The end of standard input, which is also
# what the death of the test looks like, ends the server at once and removes its folder.
folder=$1
orderly=$2
at_once=$3
leftovers=$4
shift 4

exec 3<&0
"$@" </dev/null 3<&- &
server=$!
(
    word=
    read -r word <&3
    if [ "$word" = stop ]; then
        kill -s "$orderly" "$server"
    elif [ "$word" = kill ]; then
        kill -s "$at_once" "$server"
    else
        : >"$folder/abandoned"
        kill -s "$at_once" "$server"
    fi
) &
watcher=$!
wait "$server"
status=$?
kill "$watcher" 2>/dev/null
rm -f $leftovers
[ -e "$folder/abandoned" ] && rm -rf "$folder"
exit "$status"
