#!/bin/sh
# sbt.sh TOOL STATE ARGUMENT…: sbt, from the folder that test/tools.sh has installed it
# in, with what it downloads in another.
tool=$1 state=$2
shift 2
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dsbt.boot.directory="$tool/boot" -Dsbt.coursier.home="$state/coursier" \
	-Dsbt.global.base="$state/global" -Dsbt.ivy.home="$state/ivy" -Dsbt.supershell=false -Dsbt.color=false -Dsbt.server.autostart=false \
	-jar "$tool/sbt-launch.jar" "$@"
