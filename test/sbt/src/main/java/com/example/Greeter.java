package com.example;

public class Greeter {
    public static String greet() {
        return "hello from sbt";
    }
}
