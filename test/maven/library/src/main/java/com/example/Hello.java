package com.example;

public class Hello {
    public static String say() {
        return "hello from the library";
    }
}
