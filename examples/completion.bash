# bash completion for mmlag. What there is comes from its own help.
_mmlag()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local mmlag=${COMP_WORDS[0]} command=${COMP_WORDS[1]} words=

	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		words="$("$mmlag" --help 2>/dev/null | sed -n 's/^  \([a-z]*\)  *[^ ].*/\1/p')
			--help --version --licenses"
	elif [[ $prev == -c || $prev == *file || $prev == *config || $prev == --key || $prev == --stderr ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
	elif [[ $cur == -* ]]; then
		words="$("$mmlag" "$command" --help 2>/dev/null |
			grep -oE '(^|[ |[])--[a-z][a-z-]*' | tr -d ' |[') -c --help"
	else
		case $command in
		export) words="kibana opensearch-dashboards grafana prometheus-rules kibana-rules
			template config schema" ;;
		import) words="kibana opensearch-dashboards" ;;
		spool) words="status list dead retry drop import" ;;
		notify) words="test" ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o filenames -F _mmlag mmlag
