# Runs chromedriver, and ends it together with the browsers that it started. By itself it leaves them behind, in
# process groups of their own.
#
# Arguments: the folder for profiles and other temporary files, and then the command line of chromedriver.
TMPDIR=$1
export TMPDIR
shift

end() {
    for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
        end "$child"
    done
    kill -s KILL "$1"
}

trap 'end "$driver"; exit' TERM
"$@" &
driver=$!
wait "$driver"
