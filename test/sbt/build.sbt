// What the tests with sbt build and publish. test/tools.sh builds it once, so that all
// that it needs is there afterwards.
organization := "com.example"
name := "greeter"
version := sys.env.getOrElse("VERSION", "1.0.0")
crossPaths := false
autoScalaLibrary := false
libraryDependencies ++= sys.env.get("LIBRARY").map(v => "com.example" % "library" % v).toSeq
externalResolvers := sys.env.get("REPOSITORY").map(r => ("packhouse" at r).withAllowInsecureProtocol(true)).toSeq ++ externalResolvers.value
publishTo := sys.env.get("REPOSITORY").map(r => ("packhouse" at r).withAllowInsecureProtocol(true))
credentials += Credentials("GitLab Packages Registry", "127.0.0.1", sys.env.getOrElse("LOGIN", ""), sys.env.getOrElse("SECRET", ""))
